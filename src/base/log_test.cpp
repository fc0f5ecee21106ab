#include "base/log.hpp"

#include <gtest/gtest.h>

namespace openrd::base {
namespace {

TEST(Log, IsOneJsonLineOfPlainAsciiPerEvent) {
    testing::internal::CaptureStderr();
    log::info("a \"quoted\" event", {{"text", "line\nbreak \x1b[31m"}, {"number", std::int64_t{-7}}});
    const auto line = testing::internal::GetCapturedStderr();
    EXPECT_NE(line.find(R"("level":"info","event":"a \"quoted\" event","text":"line\u000abreak \u001b[31m","number":-7})"), std::string::npos) << line;
    EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(Log, BelowItsLevelNothingIsWritten) {
    log::Level level{};
    ASSERT_TRUE(log::parse_level("warning", level));
    EXPECT_FALSE(log::parse_level("loud", level));
    log::set_level(level);
    testing::internal::CaptureStderr();
    log::info("quiet");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    log::set_level(log::Level::off);
    testing::internal::CaptureStderr();
    log::error("silent");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    log::set_level(log::Level::info);
}

}  // namespace
}  // namespace openrd::base
