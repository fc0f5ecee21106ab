// The e-mail channel against a mail server of the test's own.
#include "delivery/smtp.hpp"
#include "base/text.hpp"
#include "delivery/channels.hpp"
#include "delivery/testing_gateway.hpp"
#include "gateways/smtp_server.hpp"

#include <gtest/gtest.h>

#include <csignal>

namespace openrd::tests {
namespace {

using delivery::OutgoingMessage;
using delivery::Sent;

OutgoingMessage mail_to(std::string_view address, std::string_view purpose = "bind") {
    auto message = delivery::testing::message();
    message.to = {};
    message.email = base::Secret(std::string(address));
    message.template_id = delivery::template_of(purpose);
    return message;
}

class MailTest : public ::testing::Test {
  protected:
    MailTest() { std::signal(SIGPIPE, SIG_IGN); }  // as the server does

    base::ChannelSettings settings(const SmtpServer& server) const {
        base::ChannelSettings s{
            .kind = "smtp", .name = "mail", .url = server.url(), .user = SmtpServer::user, .secret = base::Secret(SmtpServer::password), .from = "openrd@rd.example.com"};
        s.ca_file = server.certificate_file();
        s.timeout_ms = 1'000;
        return s;
    }
    static delivery::SendResult said(const base::ChannelSettings& s, const OutgoingMessage& message) {
        ::testing::internal::CaptureStderr();
        auto result = delivery::make_channel(s, delivery::testing::ring(), std::make_shared<const delivery::Texts>())->send(message, {});
        EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
        return result;
    }
    delivery::SendResult said(std::string_view to) const { return said(settings(server_), mail_to(to)); }

    SmtpServer server_;
};
using Mail = MailTest;

TEST_F(Mail, GoesEncryptedWithTheSameIdInEveryTry) {
    EXPECT_EQ(said("someone@example.com").outcome, Sent::accepted);
    EXPECT_EQ(said("someone@example.com").outcome, Sent::accepted);
    const auto letters = server_.letters();
    ASSERT_EQ(letters.size(), 2u);
    for (const auto& letter : letters) {
        EXPECT_TRUE(letter.encrypted);
        EXPECT_TRUE(letter.logged_in);
        EXPECT_EQ(letter.from, "openrd@rd.example.com");
        EXPECT_EQ(letter.to, "someone@example.com");
        EXPECT_NE(letter.text.find("\nMessage-ID: <7F75E7B4-4636-4DB4-A8DE-5FC4A9E1F876@rd.example.com>\n"), std::string::npos);
        EXPECT_NE(letter.text.find("\nAuto-Submitted: auto-generated\n"), std::string::npos);
        EXPECT_NE(letter.text.find("\nSubject: Your verification code\n"), std::string::npos);
        EXPECT_NE(letter.text.find("\nTo: someone@example.com\n"), std::string::npos);
        auto body = letter.text.substr(letter.text.find("\n\n") + 2);
        std::erase(body, '\n');
        EXPECT_TRUE(base::unbase64(body).value_or("").starts_with("042137 is your code")) << letter.text;
    }
    EXPECT_EQ(server_.commands("starttls"), 2);
}

TEST_F(Mail, InChineseHasAChineseSubject) {
    auto message = mail_to("someone@example.com", "phone-bound");
    message.language = "zh";
    EXPECT_EQ(said(settings(server_), message).outcome, Sent::accepted);
    ASSERT_EQ(server_.letters().size(), 1u);
    const auto text = server_.letters()[0].text;
    EXPECT_NE(text.find("\nSubject: =?UTF-8?B?" + base::base64("您的账号已绑定手机") + "?=\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("042137"), std::string::npos);
}

TEST_F(Mail, ThatIsRefusedIsToldFromMailThatMayComeLater) {
    EXPECT_EQ(said("full@example.com").outcome, Sent::rejected);
    EXPECT_EQ(said("full@example.com").provider_code, "smtp_550");
    EXPECT_EQ(said("busy@example.com").outcome, Sent::not_sent);
    EXPECT_EQ(said("busy@example.com").provider_code, "smtp_451");
    EXPECT_EQ(said("bad-letter@example.com").outcome, Sent::rejected);
    EXPECT_EQ(said("later@example.com").outcome, Sent::not_sent);
}

TEST_F(Mail, WhoseLastAnswerIsMissingMayHaveBeenDelivered) {
    EXPECT_EQ(said("silent@example.com").outcome, Sent::unknown);
    EXPECT_EQ(said("gone@example.com").outcome, Sent::unknown);
    EXPECT_EQ(server_.letters().size(), 2u) << "each was given once";
}

TEST_F(Mail, WhoseServerFallsSilentBeforeTheLetterWasNotSent) {
    EXPECT_EQ(said("silent-before@example.com").outcome, Sent::not_sent);
    EXPECT_TRUE(server_.letters().empty());
}

TEST_F(Mail, WithoutEncryptionSaysNothing) {
    const SmtpServer plain(false);
    const auto result = said(settings(plain), mail_to("someone@example.com"));
    EXPECT_EQ(result.outcome, Sent::channel_down);
    EXPECT_EQ(result.provider_code, "no_starttls");
    EXPECT_EQ(plain.commands("auth"), 0) << "no password in clear";
    EXPECT_EQ(plain.commands("mail"), 0);
}

TEST_F(Mail, ToAServerThatIsNotTheOneSaysNothing) {
    auto s = settings(server_);
    s.ca_file = "";
    EXPECT_EQ(said(s, mail_to("someone@example.com")).outcome, Sent::not_sent);
    EXPECT_EQ(server_.commands("auth"), 0);
    EXPECT_TRUE(server_.letters().empty());
}

TEST_F(Mail, WithAWrongPasswordIsTheConfigurationsFault) {
    auto s = settings(server_);
    s.secret = base::Secret("wrong");
    const auto result = said(s, mail_to("someone@example.com"));
    EXPECT_EQ(result.outcome, Sent::channel_down);
    EXPECT_EQ(result.provider_code, "login_denied");
}

TEST_F(Mail, WhoseServerIsNotThereWasNotSent) {
    auto s = settings(server_);
    s.url = "smtp" + delivery::testing::nobody_url().substr(4);
    EXPECT_EQ(said(s, mail_to("someone@example.com")).outcome, Sent::not_sent);
}

TEST_F(Mail, GoesToOneAddressOnly) {
    for (const auto* address : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b>,<c@d", "a@b\r\nRCPT TO:<c@d>", "\"a\"@b", "a@\xC3\xA9", "-a@b", "a@b,c@d"})
        EXPECT_EQ(said(address).outcome, Sent::rejected) << address;
    EXPECT_EQ(server_.commands("mail"), 0);
    EXPECT_TRUE(delivery::is_mail_address("first.last+tag@mail.example.com"));
}

TEST_F(Mail, SettingsSayWhatIsWrongWithThem) {
    const auto refusal = [&](auto change) {
        auto s = settings(server_);
        change(s);
        try {
            delivery::make_channel(s, delivery::testing::ring(), std::make_shared<const delivery::Texts>());
            return std::string();
        } catch (const std::invalid_argument& error) { return std::string(error.what()); }
    };
    using S = base::ChannelSettings;
    EXPECT_EQ(refusal([](S&) {}), "");
    EXPECT_EQ(refusal([](S& s) { s.url = "https://mail"; }), "the channel mail: url is no smtp:// or smtps:// address");
    EXPECT_EQ(refusal([](S& s) { s.from = "openrd"; }), "the channel mail: from is no e-mail address");
    EXPECT_EQ(refusal([](S& s) { s.user = ""; }), "the channel mail: user and secret go together");
    EXPECT_EQ(refusal([](S& s) { s.countries = {"65"}; }), "the channel mail: countries cannot be used: it goes to addresses, not to numbers");
}

TEST_F(Mail, IsNoRoadToAPhone) {
    const auto mail = delivery::make_channel(settings(server_), delivery::testing::ring(), std::make_shared<const delivery::Texts>());
    EXPECT_FALSE(mail->covers(*phone::MobileNumber::parse("65-81234567")));
    EXPECT_TRUE(mail->covers_email());
}

}  // namespace
}  // namespace openrd::tests
