#include "delivery/texts.hpp"

#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace openrd::delivery {
namespace {

OutgoingMessage message(std::string_view purpose) {
    return {.id = "m-1",
            .to = *phone::MobileNumber::parse("65-81234567"),
            .account_id = "1000000000000002",
            .purpose = std::string(purpose),
            .template_id = std::string(template_of(purpose)),
            .language = "en",
            .code = base::Secret("042137"),
            .valid_for_ms = 10 * base::minute_ms,
            .now_ms = 1'764'000'000'000,
            .expires_at_ms = 1'764'000'600'000};
}

std::string text_of(const OutgoingMessage& m, std::string origin = "openrd") { return std::string(Texts(std::move(origin)).write(m).text.reveal()); }

TEST(Texts, SaysTheCodeWhatItIsForAndHowLongItIsGood) {
    EXPECT_EQ(text_of(message("bind")), "042137 is your code to bind this phone to account 1000000000000002. Valid for 10 minutes. Do not share it.\n\n@openrd #042137");
    EXPECT_EQ(text_of(message("enable")), "042137 is your resource directory code for account 1000000000000002. Valid for 10 minutes. Do not share it.\n\n@openrd #042137");
    EXPECT_EQ(text_of(message("something new")), "042137 is your verification code. Valid for 10 minutes. Do not share it.\n\n@openrd #042137");
}

TEST(Texts, EndsWithTheLineThatBindsTheCodeToItsOrigin) { EXPECT_TRUE(text_of(message("bind"), "rd.example.com").ends_with("\n@rd.example.com #042137")); }

TEST(Texts, RoundsWhatIsLeftDownAndNeverToNothing) {
    auto m = message("bind");
    for (const auto& [ms, words] : std::initializer_list<std::pair<std::int64_t, const char*>>{
             {10 * base::minute_ms - 1, " 9 minutes"}, {2 * base::minute_ms - 1, " 1 minute."}, {1, " 1 minute."}, {-1, " 1 minute."}}) {
        m.valid_for_ms = ms;
        EXPECT_NE(text_of(m).find(words), std::string::npos) << ms;
    }
}

TEST(Texts, EveryTemplateFitsIntoOneSegmentWithTheLongestOrigin) {
    for (const auto* purpose : {"bind", "enable", ""}) {
        const auto m = message(purpose);
        const auto written = Texts(std::string(40, 'x')).write(m);
        EXPECT_LE(septets(written.text.reveal()).value(), segment_septets) << purpose;
        EXPECT_EQ(written.segments, 1) << purpose;
    }
}

TEST(Texts, CountsTheSegmentsOfALongerText) {
    auto m = message("bind");
    m.account_id = std::string(100, '1');
    const auto written = Texts().write(m);
    EXPECT_EQ(written.segments, 2);
    EXPECT_GT(septets(written.text.reveal()).value(), segment_septets);
}

TEST(Texts, RefusesAnOriginThatIsNoName) {
    for (const auto* origin : {"a b", "a#1", "a\n@b", "https://a", "\xC3\xA9", "12345678901234567890123456789012345678901"})
        EXPECT_THROW(Texts{origin}, std::invalid_argument) << origin;
}

TEST(Texts, WithoutAnOriginHasNoSuchLine) {
    EXPECT_EQ(text_of(message("bind"), ""), "042137 is your code to bind this phone to account 1000000000000002. Valid for 10 minutes. Do not share it.");
}

TEST(Texts, WritesChineseWhereItIsRead) {
    auto m = message("bind");
    m.language = "";
    for (const auto* to : {"86-13900001234", "852-51234567", "853-66123456", "886-912345678"}) {
        m.to = *phone::MobileNumber::parse(to);
        const auto written = Texts().write(m);
        EXPECT_EQ(written.text.reveal(), "验证码042137，用于将本手机绑定到账号1000000000000002，10分钟内有效，请勿告知他人。") << to;
        EXPECT_FALSE(written.gsm);
        EXPECT_EQ(written.segments, 1);
        EXPECT_LE(ucs2_units(written.text.reveal()), segment_units);
    }
    m.to = *phone::MobileNumber::parse("65-81234567");
    EXPECT_TRUE(Texts().write(m).gsm);
    m.to = *phone::MobileNumber::parse("86-13900001234");
    m.language = "en";
    EXPECT_TRUE(Texts().write(m).gsm) << "who asks for a language gets it";
}

std::string refusal(std::string key, std::string text, std::string origin = "openrd") {
    try {
        const Texts texts(base::TextSettings{.origin = std::move(origin), .templates = {{std::move(key), std::move(text)}}});
        return "";
    } catch (const std::invalid_argument& error) { return error.what(); }
}

TEST(Texts, AnOperatorWritesHisOwn) {
    const Texts texts(base::TextSettings{
        .origin = "rd.example.com", .templates = {{"bind-secure-phone.en", "ACME: {code}. Good for {valid}, account {account}."}, {"bind-secure-phone.zh", "【某公司】{code}"}}});
    auto m = message("bind");
    EXPECT_EQ(texts.write(m).text.reveal(), "ACME: 042137. Good for 10 minutes, account 1000000000000002.\n\n@rd.example.com #042137");
    m.language = "zh";
    EXPECT_EQ(texts.write(m).text.reveal(), "【某公司】042137");
    m = message("enable");
    EXPECT_TRUE(texts.write(m).text.reveal().starts_with("042137 is your resource directory code")) << "the others stay";
}

TEST(Texts, WhatWouldCostTwoMessagesOrHaveNoCodeOrALinkIsRefusedAtOnce) {
    EXPECT_EQ(refusal("plain.en", "{code}"), "");
    EXPECT_NE(refusal("plain.en", "no code").find("has no {code}"), std::string::npos);
    EXPECT_NE(refusal("plain.en", "{code} {name}").find("{name} is none of"), std::string::npos);
    EXPECT_NE(refusal("plain.en", "{code} {").find("is none of"), std::string::npos);
    EXPECT_NE(refusal("plain.fr", "{code}").find("there is no text plain.fr"), std::string::npos);
    for (const auto* link : {"{code} https://a", "{code} example.com", "{code} www.example.com", "{code} a.{account}"})
        EXPECT_NE(refusal("plain.en", link).find("link"), std::string::npos) << link;
    EXPECT_NE(refusal("plain.en", "\xFF{code}").find("UTF-8"), std::string::npos);
    EXPECT_EQ(refusal("plain.en", "{code}" + std::string(154, 'x'), ""), "") << "160 septets";
    EXPECT_NE(refusal("plain.en", "{code}" + std::string(155, 'x'), "").find("does not fit"), std::string::npos);
    EXPECT_EQ(refusal("plain.en", "{code}" + std::string(137, 'x')), "") << "with the line of the origin";
    EXPECT_NE(refusal("plain.en", "{code}" + std::string(138, 'x')).find("does not fit"), std::string::npos);
    std::string chinese = "{code}";
    for (int i = 0; i < 64; ++i) chinese += "码";
    EXPECT_EQ(refusal("plain.zh", chinese), "") << "70 units";
    EXPECT_NE(refusal("plain.zh", chinese + "码").find("does not fit"), std::string::npos);
    EXPECT_NE(refusal("phone-bound.en", "{code}").find("notice"), std::string::npos);
}

TEST(Texts, AMailHasItsCodeInTheBodyAlone) {
    const auto mail = Texts().mail(message("bind"));
    EXPECT_EQ(mail.subject, "Your verification code");
    EXPECT_EQ(mail.body.reveal(), "042137 is your code to bind this phone to account 1000000000000002. Valid for 10 minutes. Do not share it.");
    const auto notice = Texts().mail(message("phone-bound"));
    EXPECT_EQ(notice.subject, "A phone was bound to your account");
    EXPECT_EQ(notice.body.reveal().find("042137"), std::string_view::npos);
}

TEST(Texts, CountsUnitsAsUtf16Has) {
    EXPECT_EQ(ucs2_units("a验"), 2u);
    EXPECT_EQ(ucs2_units("\xF0\x9F\x98\x80"), 2u) << "a pair of surrogates";
    EXPECT_EQ(ucs2_units(""), 0u);
}

TEST(Texts, CountsSeptetsAsTheDefaultAlphabetTakesThem) {
    EXPECT_EQ(septets("abc @#\n"), 7u);
    EXPECT_EQ(septets("a^{}[]~\\|"), 17u) << "these take an escape each";
    EXPECT_EQ(septets(""), 0u);
    for (const auto* not_in_it : {"`", "\t", "\xC3\xA9", "\x7F"}) EXPECT_EQ(septets(not_in_it), std::nullopt);
}

}  // namespace
}  // namespace openrd::delivery
