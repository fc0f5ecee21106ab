#include "base/time_text.hpp"

#include <gtest/gtest.h>

namespace openrd::base {
namespace {

TEST(TimeText, IsWrittenAsTheVendorWritesIt) {
    EXPECT_EQ(utc_seconds(1698315752000), "2023-10-26T10:22:32Z");
    EXPECT_EQ(utc_milliseconds(1698315752747), "2023-10-26T10:22:32.747Z");
    EXPECT_EQ(utc_milliseconds(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(http_date(1698315752000), "Thu, 26 Oct 2023 10:22:32 GMT");
}

TEST(TimeText, IsReadStrictly) {
    EXPECT_EQ(parse_utc("2023-10-26T10:22:32Z"), 1698315752000);
    EXPECT_EQ(parse_utc("2023-10-26T10:22:32.747Z"), 1698315752747);
    EXPECT_EQ(parse_utc("2024-02-29T00:00:00Z"), 1709164800000);
    for (const auto* bad : {"", "2023-10-26", "2023-10-26T10:22:32", "2023-10-26T10:22:32+08:00", "2023-02-29T00:00:00Z", "2023-13-01T00:00:00Z", "2023-10-26T24:00:00Z",
                            "2023-10-26T10:60:00Z", "2023-10-26 10:22:32Z", "2023-10-26T10:22:3xZ", "2023-10-26T10:22:32.74Z", "-023-10-26T10:22:32Z", "2023-10-26T10:22:32z"})
        EXPECT_FALSE(parse_utc(bad)) << bad;
}

TEST(TimeText, DurationsHaveAUnit) {
    EXPECT_EQ(parse_duration_ms("11m"), 660'000);
    EXPECT_EQ(parse_duration_ms("800ms"), 800);
    EXPECT_EQ(parse_duration_ms("2h"), 7'200'000);
    EXPECT_EQ(parse_duration_ms("1d"), 86'400'000);
    EXPECT_EQ(parse_duration_ms("-5s"), -5000);
    for (const auto* bad : {"", "5", "s", "5 s", "5x", "9223372036854775807d", "99999999999999999999s"}) EXPECT_FALSE(parse_duration_ms(bad)) << bad;
}

TEST(TimeText, TheVendorsDayBeginsAtMidnightInBeijing) {
    const auto midnight = *parse_utc("2026-11-23T16:00:00Z");
    EXPECT_EQ(day_of_utc8(midnight) - day_of_utc8(midnight - 1), 1);
    EXPECT_EQ(day_of_utc8(midnight), day_of_utc8(midnight + 86'399'999));
}

}  // namespace
}  // namespace openrd::base
