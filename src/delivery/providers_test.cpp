// What each provider is sent, and what its answers mean (verification.md 7.3 and 7.4).
#include "delivery/channels.hpp"
#include "delivery/gateway.hpp"
#include "delivery/testing_gateway.hpp"
#include "delivery/twilio.hpp"
#include "delivery/webhook_signature.hpp"
#include "wire/signature.hpp"

#include <gtest/gtest.h>

namespace openrd::delivery::testing {
namespace {

class ProviderTest : public ::testing::Test {
  protected:
    std::unique_ptr<Channel> channel(base::ChannelSettings s) { return make_channel(s, ring(), std::make_shared<const Texts>()); }
    Seen only() {
        const auto seen = gateway_.seen();
        EXPECT_EQ(seen.size(), 1u);
        return seen.empty() ? Seen{} : seen.back();
    }
    SendResult answered(Channel& channel, int status, std::string body, std::string_view to = "65-81234567") {
        gateway_.forget();
        gateway_.behave(TestGateway::answer(status, std::move(body)));
        return channel.send(message(to), {});
    }
    TestGateway gateway_;
};
using KannelChannel = ProviderTest;
using AlibabaChannel = ProviderTest;
using TwilioChannel = ProviderTest;
using WebhookChannel = ProviderTest;

TEST_F(KannelChannel, PostsTheTextWithTheRestInHeaders) {
    auto s = settings("kannel", gateway_.url("/cgi-bin/sendsms"));
    s.smsc = "CARRIER1";
    auto kannel = channel(s);
    const auto result = answered(*kannel, 202, "0: Accepted for delivery");
    EXPECT_EQ(result.outcome, Sent::accepted);
    EXPECT_EQ(result.provider_code, "0");
    const auto seen = only();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, "/cgi-bin/sendsms") << "nothing in the address";
    EXPECT_EQ(seen.header("x-kannel-username"), "user");
    EXPECT_EQ(seen.header("x-kannel-password"), "whsec_" + std::string(canary_secret));
    EXPECT_EQ(seen.header("x-kannel-to"), "+6581234567");
    EXPECT_EQ(seen.header("x-kannel-from"), "OPENRD");
    EXPECT_EQ(seen.header("x-kannel-smsc"), "CARRIER1");
    EXPECT_EQ(seen.header("x-kannel-validity"), "10");
    EXPECT_EQ(seen.header("x-kannel-coding"), "");
    EXPECT_EQ(seen.header("x-kannel-dlr-mask"), "31");
    EXPECT_EQ(seen.header("x-kannel-dlr-url"), "http://127.0.0.1:9" + receipt_path(ring(), "kannel", message().id) + "?d=%d&id=%F");
    EXPECT_TRUE(seen.body.starts_with("042137 is your code")) << seen.body;
}

TEST_F(KannelChannel, AsksForUcs2WhereTheTextNeedsIt) {
    auto kannel = channel(settings("kannel", gateway_.url()));
    EXPECT_EQ(answered(*kannel, 202, "3: Queued for later delivery", "852-51234567").outcome, Sent::accepted);
    EXPECT_EQ(only().header("x-kannel-coding"), "2");
    EXPECT_EQ(only().header("content-type"), "text/plain; charset=UTF-8");
}

TEST_F(KannelChannel, KnowsItsAnswers) {
    auto kannel = channel(settings("kannel", gateway_.url()));
    EXPECT_EQ(answered(*kannel, 503, "Temporal failure, try again later.").outcome, Sent::throttled);
    EXPECT_GT(gateway_.seen().size(), 5u) << "it waits a moment, several times: nothing was kept";
    gateway_.forget();
    EXPECT_EQ(answered(*kannel, 403, "Authorization failed for sendsms").outcome, Sent::channel_down);
    EXPECT_EQ(answered(*kannel, 404, "Unknown request.").outcome, Sent::channel_down);
    EXPECT_EQ(answered(*kannel, 400, "Number(s) has/have been denied by white- and/or black-lists.").outcome, Sent::rejected);
    EXPECT_EQ(answered(*kannel, 200, "<html>a router</html>").outcome, Sent::unknown) << "somebody else answers there";
}

// 503 is what smsbox says to the second of two messages at once: the code is not to wait for half a minute.
TEST_F(KannelChannel, TriesAgainInAMomentWhileItsQueueIsFull) {
    auto kannel = channel(settings("kannel", gateway_.url()));
    std::atomic<int> times{0};
    gateway_.behave([&](TestGateway& gateway, int fd) {
        const bool full = ++times < 4;
        TestGateway::answer(full ? 503 : 202, full ? "Temporal failure, try again later." : "0: Accepted for delivery")(gateway, fd);
    });
    EXPECT_EQ(kannel->send(message(), {}).outcome, Sent::accepted);
    EXPECT_EQ(times, 4);
}

TEST_F(KannelChannel, WaitsNoLongerWhenTheServerStops) {
    auto kannel = channel(settings("kannel", gateway_.url()));
    std::stop_source stop;
    gateway_.behave([&](TestGateway& gateway, int fd) {
        stop.request_stop();
        TestGateway::answer(503, "Temporal failure, try again later.")(gateway, fd);
    });
    EXPECT_NE(kannel->send(message(), stop.get_token()).outcome, Sent::accepted);
    EXPECT_EQ(gateway_.seen().size(), 1u);
}

TEST_F(KannelChannel, UnderstandsReceiptsOfItsOwnOnly) {
    auto kannel = channel(settings("kannel", gateway_.url()));
    const auto path = receipt_path(ring(), "kannel", message().id);
    const auto fate = [&](const std::string& target, std::string_view method = "GET") {
        return kannel->parse_receipt({.method = method, .target = target, .headers = {}, .body = {}});
    };
    for (const auto& [kind, expected] : {std::pair{"1", Fate::delivered}, {"2", Fate::undelivered}, {"4", Fate::on_its_way}, {"8", Fate::on_its_way}, {"16", Fate::rejected}}) {
        const auto receipt = fate(path + "?d=" + kind + "&id=0000002A");
        ASSERT_TRUE(receipt) << kind;
        EXPECT_EQ(receipt->message_id, message().id);
        EXPECT_EQ(receipt->fate, expected) << kind;
        EXPECT_EQ(receipt->provider_ref, "0000002A");
    }
    EXPECT_FALSE(fate(path));
    EXPECT_EQ(fate(path + "?d=34").value().fate, Fate::undelivered) << "expired, by a carrier that says so in message_state";
    EXPECT_EQ(fate(path + "?d=34").value().provider_code, "dlr_34");
    for (const auto* kind : {"0", "32", "", "x", "1x", "-1", "99999999999"}) EXPECT_FALSE(fate(path + "?d=" + kind)) << kind;
    EXPECT_FALSE(fate(path + "?d=1", "POST"));
    EXPECT_FALSE(fate(path.substr(0, path.size() - 1) + "?d=1"));
    EXPECT_FALSE(fate(receipt_path(ring(), "twilio", message().id) + "?d=1"));
}

TEST_F(AlibabaChannel, SendsToTheWorldWithASignatureOfItsOwnRequest) {
    auto alibaba = channel(settings("alibaba", gateway_.url()));
    const auto result = answered(*alibaba, 200, R"({"ResponseCode":"OK","NumberDetail":{"Country":"Singapore"},"Segments":"1","MessageId":"1008030300****","RequestId":"R"})");
    EXPECT_EQ(result.outcome, Sent::accepted);
    EXPECT_EQ(result.provider_ref, "1008030300");
    const auto seen = only();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.header("x-acs-action"), "SendMessageToGlobe");
    EXPECT_EQ(seen.header("x-acs-version"), "2018-05-01");
    EXPECT_EQ(query_value(seen.target, "To"), "6581234567");
    EXPECT_EQ(query_value(seen.target, "From"), "OPENRD");
    EXPECT_EQ(query_value(seen.target, "Type"), "OTP");
    EXPECT_EQ(query_value(seen.target, "TaskId"), message().id);
    EXPECT_EQ(query_value(seen.target, "ValidityPeriod"), "600");
    EXPECT_TRUE(query_value(seen.target, "Message").starts_with("042137 is your code"));
    const auto authorization = seen.header("authorization");
    const auto given = wire::parse_authorization(authorization);
    ASSERT_TRUE(given);
    std::vector<wire::HeaderView> views;
    for (const auto& [name, value] : seen.headers) views.push_back({name, value});
    const auto pairs = wire::query_pairs(std::string_view(seen.target).substr(seen.target.find('?') + 1));
    const wire::SigningKey key(settings("", "").secret);
    EXPECT_TRUE(wire::verify_v3(key, *given, {.method = "POST", .query = pairs, .headers = views, .body = {}}).ok);
    EXPECT_TRUE(wire::required_headers_signed(given->signed_headers, false));
}

TEST_F(AlibabaChannel, SendsToTheMainlandByTemplate) {
    auto s = settings("alibaba", "https://globe.invalid/");
    s.china_url = gateway_.url();
    EXPECT_FALSE(channel(s)->covers(*phone::MobileNumber::parse("86-13900001234"))) << "without a signature and a template";
    s.sign_name = "某公司";
    s.template_code = "SMS_1";
    auto alibaba = channel(s);
    EXPECT_TRUE(alibaba->covers(*phone::MobileNumber::parse("86-13900001234")));
    const auto result = answered(*alibaba, 200, R"({"Message":"OK","RequestId":"R","Code":"OK","BizId":"900619746936498440^0"})", "86-13900001234");
    EXPECT_EQ(result.outcome, Sent::accepted);
    EXPECT_EQ(result.provider_ref, "900619746936498440^0");
    const auto seen = only();
    EXPECT_EQ(seen.header("x-acs-action"), "SendSms");
    EXPECT_EQ(query_value(seen.target, "PhoneNumbers"), "13900001234");
    EXPECT_EQ(query_value(seen.target, "SignName"), "某公司");
    EXPECT_EQ(query_value(seen.target, "TemplateCode"), "SMS_1");
    EXPECT_EQ(query_value(seen.target, "TemplateParam"), R"({"code":"042137"})");
    EXPECT_EQ(query_value(seen.target, "OutId"), message().id);
}

TEST_F(AlibabaChannel, KnowsTheVendorsCodes) {
    auto alibaba = channel(settings("alibaba", gateway_.url()));
    const auto code = [&](int status, const std::string& c) { return answered(*alibaba, status, R"({"RequestId":"R","Message":"m","Code":")" + c + "\"}").outcome; };
    for (const auto* c : {"isv.BUSINESS_LIMIT_CONTROL", "isv.MOBILE_NUMBER_ILLEGAL", "isv.DOMESTIC_NUMBER_NOT_SUPPORTED"}) EXPECT_EQ(code(200, c), Sent::rejected) << c;
    for (const auto* c :
         {"isv.DAY_LIMIT_CONTROL", "isv.MONTH_LIMIT_CONTROL", "isv.OUT_OF_SERVICE", "isp.RAM_PERMISSION_DENY", "isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_TEMPLATE_ILLEGAL"})
        EXPECT_EQ(code(200, c), Sent::channel_down) << c;
    for (const auto* c : {"InvalidAccessKeyId.NotFound", "SignatureDoesNotMatch", "Forbidden.RAM"}) EXPECT_EQ(code(403, c), Sent::channel_down) << c;
    for (const int status : {400, 429, 503}) EXPECT_EQ(code(status, "Throttling.User"), Sent::throttled) << status;
    EXPECT_EQ(code(200, "isp.SYSTEM_ERROR"), Sent::unknown);
    EXPECT_EQ(code(503, "ServiceUnavailable"), Sent::unknown);
    EXPECT_EQ(code(400, "MissingParameter"), Sent::rejected);
    EXPECT_EQ(answered(*alibaba, 200, "no JSON").outcome, Sent::unknown);
    EXPECT_EQ(answered(*alibaba, 200, "{}").outcome, Sent::unknown);
}

TEST_F(AlibabaChannel, FindsWhatBecameOfAMainlandMessageByItsId) {
    auto s = settings("alibaba", gateway_.url());
    s.china_url = gateway_.url();
    s.sign_name = "s", s.template_code = "t";
    auto alibaba = channel(s);
    const auto to = *phone::MobileNumber::parse("86-13900001234");
    const auto found = [&](const std::string& details) {
        gateway_.forget();
        gateway_.behave(TestGateway::answer(200, R"({"Code":"OK","TotalCount":2,"SmsSendDetailDTOs":{"SmsSendDetailDTO":[)" + details + "]}}"));
        return alibaba->reconcile(message().id, to, message().now_ms);
    };
    const auto detail = [&](const std::string& id, int status) {
        return R"({"OutId":")" + id + R"(","SendStatus":)" + std::to_string(status) + R"(,"ErrCode":"UNDELIVERABLE","PhoneNum":"13900001234"})";
    };
    EXPECT_EQ(found(detail("other", 2) + "," + detail(message().id, 3))->outcome, Sent::accepted);
    EXPECT_EQ(query_value(only().target, "SendDate"), "20251125") << "the vendor's day";
    EXPECT_EQ(found(detail(message().id, 1))->outcome, Sent::accepted);
    const auto failed = found(detail(message().id, 2));
    EXPECT_EQ(failed->outcome, Sent::rejected);
    EXPECT_EQ(failed->provider_code, "UNDELIVERABLE");
    EXPECT_FALSE(found(detail("other", 3)));
    EXPECT_FALSE(found(""));
    gateway_.behave(TestGateway::answer(500, ""));
    EXPECT_FALSE(alibaba->reconcile(message().id, to, message().now_ms));
    gateway_.forget();
    EXPECT_FALSE(alibaba->reconcile(message().id, *phone::MobileNumber::parse("65-81234567"), message().now_ms));
    EXPECT_TRUE(gateway_.seen().empty());
}

TEST_F(TwilioChannel, PostsAFormAndKeepsTheReference) {
    auto twilio = channel(settings("twilio", gateway_.url()));
    const auto result = answered(*twilio, 201, R"({"sid":"SM0123456789abcdef0123456789abcdef","status":"queued","body":"042137","to":"+6581234567"})");
    EXPECT_EQ(result.outcome, Sent::accepted);
    EXPECT_EQ(result.provider_ref, "SM0123456789abcdef0123456789abcdef");
    EXPECT_EQ(result.provider_code, "queued");
    const auto seen = only();
    EXPECT_EQ(seen.target, "/2010-04-01/Accounts/user/Messages.json");
    EXPECT_EQ(seen.header("authorization"), "Basic " + base::base64("user:whsec_" + std::string(canary_secret)));
    EXPECT_EQ(form_value(seen.body, "To"), "+6581234567");
    EXPECT_EQ(form_value(seen.body, "From"), "OPENRD");
    EXPECT_EQ(form_value(seen.body, "ValidityPeriod"), "600");
    EXPECT_EQ(form_value(seen.body, "StatusCallback"), "http://127.0.0.1:9" + receipt_path(ring(), "twilio", message().id));
    EXPECT_TRUE(form_value(seen.body, "Body").starts_with("042137 is your code"));
}

TEST_F(TwilioChannel, KnowsItsCodes) {
    auto twilio = channel(settings("twilio", gateway_.url()));
    const auto code = [&](int status, int c) { return answered(*twilio, status, R"({"code":)" + std::to_string(c) + R"(,"message":"m","status":400})").outcome; };
    const auto opted_out = [&](int c) { return answered(*twilio, 400, R"({"code":)" + std::to_string(c) + "}").opted_out; };
    EXPECT_EQ(code(400, 21211), Sent::rejected);
    EXPECT_EQ(code(400, 21610), Sent::rejected) << "the phone has said STOP";
    EXPECT_TRUE(opted_out(21610));
    EXPECT_FALSE(opted_out(21211)) << "no phone number";
    EXPECT_EQ(code(400, 21606), Sent::channel_down);
    EXPECT_EQ(code(401, 20003), Sent::channel_down);
    EXPECT_EQ(code(400, 21611), Sent::throttled);
    EXPECT_EQ(code(503, 20503), Sent::unknown);
    EXPECT_EQ(answered(*twilio, 201, R"({"sid":"SM1","status":"failed"})").outcome, Sent::rejected);
    EXPECT_EQ(answered(*twilio, 201, "{}").outcome, Sent::unknown);
    EXPECT_EQ(answered(*twilio, 200, "<html>").outcome, Sent::unknown);
}

TEST_F(TwilioChannel, FindsAMessageOnlyWhenThereIsOneThatItCanBe) {
    auto twilio = channel(settings("twilio", gateway_.url()));
    const auto to = *phone::MobileNumber::parse("65-81234567");
    const auto found = [&](const std::string& messages) {
        gateway_.forget();
        gateway_.behave(TestGateway::answer(200, R"({"messages":[)" + messages + "]}"));
        return twilio->reconcile(message().id, to, message().now_ms);
    };
    const auto entry = [](const std::string& sid, const std::string& at, const std::string& status = "delivered") {
        return R"({"sid":")" + sid + R"(","date_created":")" + at + R"(","status":")" + status + "\"}";
    };
    const std::string before = "Mon, 24 Nov 2025 15:59:00 +0000", after = "Mon, 24 Nov 2025 16:00:02 +0000";  // of now_ms
    EXPECT_FALSE(found(""));
    EXPECT_FALSE(found(entry("SM1", before)));
    EXPECT_FALSE(found(entry("SM2", after) + "," + entry("SM3", after))) << "which of them nobody can tell";
    const auto one = found(entry("SM4", after) + "," + entry("SM1", before));
    ASSERT_TRUE(one);
    EXPECT_EQ(one->outcome, Sent::accepted);
    EXPECT_EQ(one->provider_ref, "SM4");
    EXPECT_EQ(query_value(only().target, "To"), "+6581234567");
    EXPECT_EQ(query_value(only().target, "DateSent>"), "2025-11-24");
    EXPECT_FALSE(found(entry("SM4", after))) << "it is another message's";
    EXPECT_EQ(found(entry("SM5", after, "failed"))->outcome, Sent::rejected);
    answered(*twilio, 201, R"({"sid":"SM6","status":"queued"})");
    EXPECT_FALSE(found(entry("SM6", after))) << "answered for another message";
}

TEST_F(TwilioChannel, BelievesReceiptsThatItSigned) {
    auto s = settings("twilio", gateway_.url());
    s.receipts_url = "https://rd.example.com";
    auto twilio = channel(s);
    const auto path = receipt_path(ring(), "twilio", message().id);
    const std::string form = "MessageSid=SM1&MessageStatus=delivered&To=%2B6581234567";
    const auto receipt = [&](const std::string& body, const std::string& signature) {
        const std::vector<std::pair<std::string, std::string>> headers{{"x-twilio-signature", signature}};
        return twilio->parse_receipt({.method = "POST", .target = path, .headers = headers, .body = body});
    };
    const auto signed_by = [&](const std::string& body) { return twilio_signature(s.secret, "https://rd.example.com" + path, body); };
    ASSERT_TRUE(receipt(form, signed_by(form)));
    EXPECT_EQ(receipt(form, signed_by(form))->fate, Fate::delivered);
    EXPECT_EQ(receipt(form, signed_by(form))->provider_ref, "SM1");
    EXPECT_FALSE(receipt(form, signed_by("MessageStatus=sent")));
    EXPECT_FALSE(receipt(form, ""));
    const std::string failed = "MessageSid=SM1&MessageStatus=undelivered&ErrorCode=30003";
    EXPECT_EQ(receipt(failed, signed_by(failed))->fate, Fate::undelivered);
    EXPECT_EQ(receipt(failed, signed_by(failed))->provider_code, "30003");
}

TEST(TwilioSignature, IsThatOfItsDocumentation) {
    // The example of the provider's page about webhook security.
    EXPECT_EQ(twilio_signature(base::Secret("12345"), "https://mycompany.com/myapp.php?foo=1&bar=2",
                               "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE"),
              "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

TEST_F(WebhookChannel, PostsWhatStandardWebhooksSay) {
    auto s = settings("webhook", gateway_.url("/hook"));
    s.more_secrets.emplace_back("whsec_" + base::base64(std::string(32, 'n')));
    auto webhook = channel(s);
    EXPECT_EQ(answered(*webhook, 204, "").outcome, Sent::accepted);
    const auto seen = only();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.header("webhook-id"), message().id);
    const JsonAnswer body(seen.body);
    EXPECT_EQ(body.text("type"), "sms.send");
    EXPECT_EQ(body.text("data.id"), message().id);
    EXPECT_EQ(body.text("data.to"), "+6581234567");
    EXPECT_EQ(body.text("data.code"), "042137");
    EXPECT_EQ(body.text("data.language"), "en");
    EXPECT_EQ(body.text("data.expires_at"), "2025-11-24T16:10:00.000Z");
    EXPECT_EQ(body.text("data.receipt_url"), "http://127.0.0.1:9" + receipt_path(ring(), "webhook", message().id));
    const std::vector<base::Secret> keys{base::Secret(*base::unbase64(canary_secret)), base::Secret(std::string(32, 'n'))};
    EXPECT_EQ(seen.header("webhook-signature"), webhook_signature(keys, message().id, std::stoll(seen.header("webhook-timestamp")), seen.body));
    EXPECT_TRUE(webhook->repeatable());
}

TEST_F(WebhookChannel, KnowsItsAnswers) {
    auto webhook = channel(settings("webhook", gateway_.url()));
    EXPECT_EQ(answered(*webhook, 200, "anything").outcome, Sent::accepted);
    EXPECT_EQ(answered(*webhook, 410, "").outcome, Sent::channel_down);
    EXPECT_EQ(answered(*webhook, 401, "").outcome, Sent::channel_down);
    EXPECT_EQ(answered(*webhook, 502, "").outcome, Sent::throttled);
    EXPECT_EQ(answered(*webhook, 504, "").outcome, Sent::throttled);
    EXPECT_EQ(answered(*webhook, 400, "").outcome, Sent::rejected);
}

TEST(WebhookSignature, IsThatOfTheSpecification) {
    // The example of Standard Webhooks' own libraries.
    const auto key = webhook_key(base::Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    ASSERT_TRUE(key);
    EXPECT_EQ(webhook_signature(std::vector{*key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    for (const auto* wrong : {"", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!"}) EXPECT_FALSE(webhook_key(base::Secret(wrong))) << wrong;
}

}  // namespace
}  // namespace openrd::delivery::testing
