// Every channel that speaks HTTP, against a gateway that misbehaves: one request each time, and the class that the evidence allows
// (verification.md 7.1).
#include "delivery/channels.hpp"
#include "delivery/gateway.hpp"
#include "delivery/testing_gateway.hpp"

#include <gtest/gtest.h>

namespace openrd::delivery::testing {
namespace {

class MisbehavingGateway : public ::testing::TestWithParam<const char*> {
  protected:
    std::unique_ptr<Channel> channel(std::string url) { return make_channel(settings(GetParam(), std::move(url)), ring(), std::make_shared<const Texts>()); }
    // What is said about it, in one try and with one request.
    SendResult said(TestGateway::Behaviour behaviour) {
        gateway_.forget();
        gateway_.behave(std::move(behaviour));
        ::testing::internal::CaptureStderr();
        auto result = channel(gateway_.url("/gateway"))->send(message(), {});
        const auto logged = ::testing::internal::GetCapturedStderr();
        EXPECT_EQ(logged.find(canary_code), std::string::npos) << logged;
        EXPECT_EQ(gateway_.seen().size(), 1u) << "exactly one request";
        for (const auto& word : {result.provider_code, result.provider_ref})
            for (const auto secret : {canary_code, canary_national, canary_secret}) EXPECT_EQ(word.find(secret), std::string::npos) << word;
        return result;
    }
    TestGateway gateway_;
};

TEST_P(MisbehavingGateway, ThatIsNotThereGotNothing) {
    const auto result = channel(nobody_url())->send(message(), {});
    EXPECT_EQ(result.outcome, Sent::not_sent);
    EXPECT_EQ(result.provider_code, "connect");
}

TEST_P(MisbehavingGateway, ThatHasNoNameThatCanBeFoundGotNothing) {
    const auto result = channel("https://gateway.invalid/")->send(message(), {});
    EXPECT_EQ(result.outcome, Sent::not_sent);
}

TEST_P(MisbehavingGateway, ThatReadsAndSaysNothingMayHaveSentIt) {
    EXPECT_EQ(said(TestGateway::silence()).outcome, Sent::unknown);
    EXPECT_EQ(said(TestGateway::silence()).provider_code, "timeout");
}

TEST_P(MisbehavingGateway, ThatClosesWithoutAnAnswerMayHaveSentIt) {
    EXPECT_EQ(said(TestGateway::close()).outcome, Sent::unknown);
    EXPECT_EQ(said(TestGateway::reset()).outcome, Sent::unknown);
    EXPECT_EQ(said(TestGateway::half_a_head()).outcome, Sent::unknown);
}

TEST_P(MisbehavingGateway, ThatFailsMayHaveSentIt) {
    EXPECT_EQ(said(TestGateway::answer(500, "oops")).outcome, Sent::unknown);
    EXPECT_EQ(said(TestGateway::answer(500, "oops")).provider_code, "http_500");
}

TEST_P(MisbehavingGateway, WhoseAnswerDoesNotEndMayHaveSentIt) {
    EXPECT_EQ(said(TestGateway::slow_body()).outcome, Sent::unknown);
    const auto huge = said(TestGateway::huge_body());
    EXPECT_EQ(huge.outcome, Sent::unknown);
    EXPECT_EQ(huge.provider_code, "reply_too_large");
}

TEST_P(MisbehavingGateway, ThatIsBusySaysForHowLong) {
    const auto result = said(TestGateway::answer(429, "", "Retry-After: 7\r\n"));
    EXPECT_EQ(result.outcome, Sent::throttled);
    EXPECT_EQ(result.retry_after_ms, 7'000);
    EXPECT_EQ(said(TestGateway::answer(429, "")).retry_after_ms, std::nullopt);
    EXPECT_EQ(said(TestGateway::answer(429, "", "Retry-After: 999999999\r\n")).retry_after_ms, base::hour_ms) << "never longer than an hour";
}

TEST_P(MisbehavingGateway, IsNotFollowedElsewhere) {
    for (const int status : {301, 302, 303, 307, 308})
        EXPECT_EQ(said(TestGateway::answer(status, "", "Location: " + gateway_.url("/elsewhere") + "\r\n")).outcome, Sent::channel_down) << status;
}

TEST_P(MisbehavingGateway, ThatRefusesWithAWordOfItsOwnIsNotAskedAgain) {
    EXPECT_EQ(said(TestGateway::answer(400, "no")).outcome, Sent::rejected);
    EXPECT_EQ(said(TestGateway::answer(422, "{\"code\":\"042137\",\"Code\":\"042137\",\"message\":\"+6581234567\"}")).outcome, Sent::rejected) << "what it says is not repeated";
}

TEST_P(MisbehavingGateway, StopsBeforeTheRequestWhenTheServerGoesDown) {
    std::stop_source stop;
    stop.request_stop();
    const auto result = channel(gateway_.url())->send(message(), stop.get_token());
    // On loopback it may be too late to stop: then it is done whole.
    EXPECT_EQ(result.outcome == Sent::not_sent, gateway_.seen().empty());
}

INSTANTIATE_TEST_SUITE_P(Http, MisbehavingGateway, ::testing::Values("kannel", "alibaba", "twilio", "webhook"), [](const auto& p) { return std::string(p.param); });

class ReachTest : public ::testing::Test {
  protected:
    std::string said_about(std::string url, bool loopback) {
        HttpClient client({.connect_ms = 500, .total_ms = 500, .public_only = true, .loopback_too = loopback});
        const auto reply = client.exchange({.url = std::move(url), .body = base::Secret("{}")});
        return reply.evidence == Evidence::answered ? "answered" : reply.evidence == Evidence::refused ? "refused: " + reply.why : reply.why;
    }
    TestGateway gateway_;
};
using Reach = ReachTest;

TEST_F(Reach, OfAWebhookEndsAtTheInternet) {
    EXPECT_EQ(said_about(gateway_.url(), true), "answered");
    const auto port = gateway_.url().substr(gateway_.url().rfind(':'));
    for (const auto& host : {"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1", "017700000001", "127.1", "[::]"})
        for (const auto& scheme : {"https://", "http://"}) EXPECT_EQ(said_about(scheme + (host + port), false), "refused: address_refused") << scheme << host;
    for (const auto* host : {"10.0.0.1", "192.168.0.1", "169.254.169.254", "100.100.100.200", "[fe80::1]", "[fd00:ec2::254]"})
        EXPECT_EQ(said_about(std::string("https://") + host + port, true), "refused: address_refused") << host;
    EXPECT_EQ(gateway_.seen().size(), 1u);
}

TEST_F(Reach, OfPlainHttpIsThisMachine) {
    HttpClient client({.connect_ms = 300, .total_ms = 300});
    EXPECT_EQ(client.exchange({.url = "http://192.0.2.1/"}).why, "address_refused");
    EXPECT_EQ(client.exchange({.url = gateway_.url()}).evidence, Evidence::answered);
    for (const auto* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "", "http:", "https://user:pass@127.0.0.1/", "https://a b/"})
        EXPECT_EQ(client.exchange({.url = url}).evidence, Evidence::refused) << url;
    EXPECT_EQ(client.exchange({.url = gateway_.url(), .headers = {{"x-a", base::Secret("1\r\nx-b: 2")}}}).why, "bad_request");
}

TEST(Harmless, WordsHoldNoNumberAndNoCode) {
    const auto to = *phone::MobileNumber::parse("65-81234567");
    const base::Secret code("042137");
    EXPECT_EQ(harmless("SM-12_3.4:5^6", to, code), "SM-12_3.4:5^6");
    EXPECT_EQ(harmless("a b\n\"{}\xE9\x01z", to, code), "abz");
    EXPECT_EQ(harmless("x+6581234567", to, code), "");
    EXPECT_EQ(harmless("+65 8123 4567", to, code), "") << "however it is written";
    EXPECT_EQ(harmless("code 042137", to, code), "");
    EXPECT_EQ(harmless(std::string(100, 'x'), to, code).size(), 64u);
    EXPECT_EQ(harmless("", to, code), "");
}

std::string refusal(base::ChannelSettings s) {
    try {
        make_channel(s, ring(), std::make_shared<const Texts>());
        return "";
    } catch (const std::invalid_argument& error) { return error.what(); }
}

TEST(ChannelSettings, SayWhatIsWrongWithThem) {
    const auto with = [](const char* kind, auto change) {
        auto s = settings(kind, "https://gateway.example.com/");
        s.loopback = false;
        change(s);
        return refusal(s);
    };
    using S = base::ChannelSettings;
    for (const auto* kind : {"kannel", "alibaba", "twilio", "webhook"}) EXPECT_EQ(with(kind, [](S&) {}), "") << kind;
    EXPECT_EQ(with("pigeon", [](S&) {}), "the channel pigeon: kind is kannel, alibaba, twilio, webhook or smtp");
    EXPECT_EQ(with("kannel", [](S& s) { s.user = ""; }), "the channel kannel: user is missing");
    EXPECT_EQ(with("kannel", [](S& s) { s.secret = {}; }), "the channel kannel: secret is missing");
    EXPECT_EQ(with("kannel", [](S& s) { s.url = "gateway"; }), "the channel kannel: url is no https:// or http:// address");
    EXPECT_EQ(with("kannel", [](S& s) { s.countries = {"+65"}; }), "the channel kannel: countries +65 is no calling code");
    EXPECT_EQ(with("kannel", [](S& s) { s.timeout_ms = 60'000; }), "the channel kannel: timeout is between 100ms and 10s");
    EXPECT_EQ(with("kannel", [](S& s) { s.name = "A b"; }), "a channel's name has 1 to 32 lower-case letters, digits, - and _");
    EXPECT_EQ(with("twilio", [](S& s) { s.from = ""; }), "the channel twilio: from or service: one of them is needed");
    EXPECT_EQ(with("alibaba", [](S& s) { s.sign_name = "x"; }), "the channel alibaba: sign_name and template_code go together");
    EXPECT_EQ(with("alibaba", [](S& s) { s.countries = {"86"}; }), "the channel alibaba: countries has 86, which needs sign_name and template_code");
    EXPECT_EQ(with("webhook", [](S& s) { s.url = "http://gateway.example.com/"; }), "the channel webhook: url is no https:// address");
    EXPECT_EQ(with("webhook", [](S& s) { s.secret = base::Secret("short"); }), "the channel webhook: secret is whsec_ and base64 of 24 to 64 bytes");
    EXPECT_EQ(with("webhook", [](S& s) { s.proxy = "http://proxy:3128"; }), "the channel webhook: proxy cannot be used: the address behind it could not be checked");
}

}  // namespace
}  // namespace openrd::delivery::testing
