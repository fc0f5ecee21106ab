#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace openrd::base {
namespace {

TEST(Clock, FollowsTheMachineUntilItIsMoved) {
    const Clock clock;
    const auto before = real_now_ms();
    const auto now = clock.now_ms();
    EXPECT_GE(now, before);
    EXPECT_FALSE(clock.moved());
}

TEST(Clock, GoesOnFromWhereItWasSet) {
    Clock clock;
    clock.set_ms(1'000'000);
    EXPECT_GE(clock.now_ms(), 1'000'000);
    EXPECT_LT(clock.now_ms(), 1'000'000 + hour_ms);
    EXPECT_TRUE(clock.moved());
    clock.reset();
    EXPECT_FALSE(clock.moved());
    EXPECT_GE(clock.now_ms(), real_now_ms() - minute_ms);
}

TEST(Clock, StandsStillWhileFrozenAndCanBeAdvanced) {
    Clock clock;
    clock.set_ms(5'000'000);
    clock.freeze(true);
    const auto at = clock.now_ms();
    clock.advance_ms(11 * minute_ms);
    EXPECT_EQ(clock.now_ms(), at + 11 * minute_ms);
    EXPECT_EQ(clock.now_ms(), at + 11 * minute_ms);
    clock.freeze(false);
    EXPECT_GE(clock.now_ms(), at + 11 * minute_ms);
}

TEST(Clock, RealTimeNeverGoesBackwards) {
    auto last = real_now_ms();
    for (int i = 0; i < 1000; ++i) {
        const auto now = real_now_ms();
        ASSERT_GE(now, last);
        last = now;
    }
}

}  // namespace
}  // namespace openrd::base
