#include "delivery/risk_probe.hpp"

#include "base/text.hpp"
#include "delivery/testing_gateway.hpp"
#include "delivery/webhook_signature.hpp"

#include <gtest/gtest.h>

namespace openrd::delivery::testing {
namespace {

// Takes everything, and counts.
class OpenChannel final : public Channel {
  public:
    std::string_view name() const override { return "open"; }
    bool covers(const phone::MobileNumber&) const override { return true; }
    SendResult send(const OutgoingMessage&, std::stop_token) override {
        ++sent;
        return {.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}};
    }
    int sent = 0;
};

class RiskWebhook : public ::testing::Test {
  protected:
    static OutgoingMessage message() {
        return {.id = "m-1",
                .to = *phone::MobileNumber::parse("65-81234567"),
                .account_id = "1000000000000002",
                .purpose = "bind",
                .template_id = "bind-secure-phone",
                .code = base::Secret("042137"),
                .valid_for_ms = 600'000,
                .now_ms = 1'764'000'000'000,
                .expires_at_ms = 1'764'000'600'000};
    }
    RiskSettings settings() const {
        return {.url = gateway_.url("/risk"), .secret = base::Secret("whsec_" + base::base64(std::string(32, 'k'))), .ca_file = {}, .timeout_ms = 2000, .loopback = true};
    }
    RiskAnswer answered(const std::string& body, int status = 200) {
        gateway_.behave(TestGateway::answer(status, body));
        WebhookRiskProbe probe(settings());
        return probe.ask(message(), {});
    }
    SendResult sent(bool fail_open) {
        WebhookRiskProbe probe(settings());
        ProbedChannel channel(open_, probe, fail_open, [this](const OutgoingMessage& m, const std::string& reason) { told_ += m.id + " " + reason + ";"; });
        return channel.send(message(), {});
    }

    TestGateway gateway_;
    OpenChannel open_;
    std::string told_;
};

TEST_F(RiskWebhook, IsAskedSignedAndNeverToldTheCode) {
    EXPECT_EQ(answered("{}").risk, Risk::none);
    const auto seen = gateway_.seen().at(0);
    EXPECT_NE(seen.body.find("+6581234567"), std::string::npos);
    EXPECT_NE(seen.body.find("risk.check"), std::string::npos);
    EXPECT_EQ(seen.body.find("042137"), std::string::npos);
    const std::vector<base::Secret> keys{base::Secret(std::string(32, 'k'))};
    EXPECT_EQ(seen.header("webhook-signature"), webhook_signature(keys, "m-1", std::stoll(seen.header("webhook-timestamp")), seen.body));
}

TEST_F(RiskWebhook, RefusesAYoungSimAndAYoungPorting) {
    EXPECT_EQ(answered(R"({"sim_swap_hours":2})").reason, "sim_swap");
    EXPECT_EQ(answered(R"({"sim_swap_hours":72})").risk, Risk::none) << "three days are old enough";
    EXPECT_EQ(answered(R"({"sim_swap_hours":5000,"port_hours":71})").reason, "port");
    EXPECT_EQ(answered(R"({"decision":"refuse","reason":"call forwarding +6581234567"})").risk, Risk::refused);
    EXPECT_EQ(answered(R"({"decision":"refuse","reason":"6581234567"})").reason.find("81234567"), std::string::npos) << "nothing personal in a reason";
    EXPECT_EQ(answered(R"({"decision":"allow","sim_swap_hours":1})").risk, Risk::none);
}

TEST_F(RiskWebhook, KnowsWhatIsNoAnswer) {
    for (const auto* body : {"", "no JSON", R"({"decision":"perhaps"})"}) EXPECT_EQ(answered(body).risk, Risk::unknown) << body;
    for (const int status : {204, 302, 400, 500, 503}) EXPECT_EQ(answered("{}", status).risk, Risk::unknown) << status;
    gateway_.behave(TestGateway::close());
    EXPECT_EQ(WebhookRiskProbe(settings()).ask(message(), {}).risk, Risk::unknown);
}

TEST_F(RiskWebhook, RefusesToBeSetUpWithoutASecretOrInTheClear) {
    auto s = settings();
    s.secret = base::Secret("short");
    EXPECT_THROW((WebhookRiskProbe(s)), std::invalid_argument);
    s = settings();
    s.loopback = false;
    EXPECT_THROW((WebhookRiskProbe(s)), std::invalid_argument);
}

TEST_F(RiskWebhook, WhatItRefusesIsRejectedAndTold) {
    gateway_.behave(TestGateway::answer(200, R"({"sim_swap_hours":2})"));
    const auto result = sent(true);
    EXPECT_EQ(result.outcome, Sent::rejected);
    EXPECT_EQ(result.provider_code, "risk_sim_swap");
    EXPECT_EQ(told_, "m-1 sim_swap;");
    EXPECT_EQ(open_.sent, 0);
}

TEST_F(RiskWebhook, ThatCannotBeReachedRefusesOrLetsPassAsItIsSet) {
    gateway_.behave(TestGateway::answer(500, ""));
    const auto closed = sent(false);
    EXPECT_EQ(closed.outcome, Sent::throttled) << "certainly not sent, to be tried again";
    EXPECT_EQ(open_.sent, 0);
    EXPECT_EQ(sent(true).outcome, Sent::accepted);
    EXPECT_EQ(open_.sent, 1);
    EXPECT_EQ(told_, "");
}

TEST_F(RiskWebhook, WhoseRefusalCannotBeRecordedSendsNothingAndIsAskedAgain) {
    gateway_.behave(TestGateway::answer(200, R"({"decision":"refuse"})"));
    WebhookRiskProbe probe(settings());
    ProbedChannel channel(open_, probe, true, [](const OutgoingMessage&, const std::string&) { throw std::runtime_error("the disk is full"); });
    EXPECT_EQ(channel.send(message(), {}).outcome, Sent::throttled);
    EXPECT_EQ(open_.sent, 0);
}

}  // namespace
}  // namespace openrd::delivery::testing
