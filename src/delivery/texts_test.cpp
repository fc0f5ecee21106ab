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
    for (const auto* origin : {"", "a b", "a#1", "a\n@b", "https://a", "\xC3\xA9", "12345678901234567890123456789012345678901"})
        EXPECT_THROW(Texts{origin}, std::invalid_argument) << origin;
}

TEST(Texts, CountsSeptetsAsTheDefaultAlphabetTakesThem) {
    EXPECT_EQ(septets("abc @#\n"), 7u);
    EXPECT_EQ(septets("a^{}[]~\\|"), 17u) << "these take an escape each";
    EXPECT_EQ(septets(""), 0u);
    for (const auto* not_in_it : {"`", "\t", "\xC3\xA9", "\x7F"}) EXPECT_EQ(septets(not_in_it), std::nullopt);
}

}  // namespace
}  // namespace openrd::delivery
