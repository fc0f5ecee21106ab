#include "sandbox/clock_page.hpp"

#include "base/time_text.hpp"

#include <gtest/gtest.h>

namespace openrd::sandbox {
namespace {

class ClockPageTest : public ::testing::Test {
  protected:
    int put(std::string_view body) { return page_.put(body).status; }
    base::Clock clock_;
    int moved_ = 0;
    ClockPage page_{clock_, [this] { ++moved_; }};
};

TEST_F(ClockPageTest, SetsTheClockToTheMillisecondWhenItIsFrozen) {
    const auto answer = page_.put(R"({"now":"2030-01-02T03:04:05.678Z","freeze":true})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(base::utc_milliseconds(clock_.now_ms()), "2030-01-02T03:04:05.678Z");
    EXPECT_NE(answer.body.find(R"("now":"2030-01-02T03:04:05.678Z")"), std::string::npos) << answer.body;
    EXPECT_NE(answer.body.find(R"("frozen":true)"), std::string::npos) << answer.body;
    EXPECT_EQ(moved_, 1);
}

TEST_F(ClockPageTest, AdvancesAClockThatGoesOn) {
    const auto before_ms = clock_.now_ms();
    EXPECT_EQ(put(R"({"advance":"11m"})"), 200);
    EXPECT_GE(clock_.now_ms(), before_ms + 11 * base::minute_ms);
    EXPECT_FALSE(clock_.frozen());
    EXPECT_TRUE(clock_.moved());
}

TEST_F(ClockPageTest, GoesBackAsWell) {
    ASSERT_EQ(put(R"({"now":"2030-01-01T00:00:00Z","freeze":true})"), 200);
    EXPECT_EQ(put(R"({"advance":"-2h"})"), 200);
    EXPECT_EQ(base::utc_seconds(clock_.now_ms()), "2029-12-31T22:00:00Z");
}

TEST_F(ClockPageTest, FreezesAndGoesOnFromWhereItStood) {
    ASSERT_EQ(put(R"({"now":"2030-01-01T00:00:00Z","freeze":true})"), 200);
    EXPECT_EQ(put(R"({"freeze":false})"), 200);
    EXPECT_FALSE(clock_.frozen());
    EXPECT_GE(clock_.now_ms(), *base::parse_utc("2030-01-01T00:00:00Z"));
    EXPECT_LT(clock_.now_ms(), *base::parse_utc("2030-01-02T00:00:00Z"));
}

TEST_F(ClockPageTest, ReturnsToRealTime) {
    ASSERT_EQ(put(R"({"advance":"365d","freeze":true})"), 200);
    EXPECT_EQ(page_.remove().status, 204);
    EXPECT_FALSE(clock_.moved());
    EXPECT_EQ(moved_, 2);
}

TEST_F(ClockPageTest, RefusesWhatItDoesNotUnderstandAndChangesNothing) {
    for (const char* body : {"",
                             "{}",
                             "[]",
                             "null",
                             "7",
                             R"("now")",
                             "{",
                             R"({"now":7})",
                             R"({"now":"tomorrow"})",
                             R"({"now":"2030-02-30T00:00:00Z"})",
                             R"({"advance":"11"})",
                             R"({"advance":11})",
                             R"({"advance":""})",
                             R"({"freeze":"yes"})",
                             R"({"freeze":1})",
                             R"({"then":"2030-01-01T00:00:00Z"})",
                             R"({"freeze":true,"then":1})",
                             R"({"now":"2030-01-01T00:00:00Z","advance":"1s"})",
                             R"({"advance":"99999999d"})",
                             R"({"advance":"-99999999d"})",
                             R"({"now":"1969-12-31T23:59:59Z"})",
                             R"({"now":"9999-12-31T00:00:00Z"})",
                             R"({"freeze":[[[[[[1]]]]]]})"}) {
        const auto answer = page_.put(body);
        EXPECT_EQ(answer.status, 400) << body;
        EXPECT_EQ(answer.content_type, "application/problem+json") << body;
    }
    EXPECT_EQ(put(R"({"freeze":true,)" + std::string(5000, ' ') + R"("advance":"1s"})"), 400);
    EXPECT_FALSE(clock_.moved());
    EXPECT_EQ(moved_, 0);
}

}  // namespace
}  // namespace openrd::sandbox
