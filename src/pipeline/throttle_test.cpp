#include "pipeline/throttle.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace openrd::pipeline {
namespace {

constexpr std::int64_t noon = 1'764'000'000'000;

struct Request {};
struct Answer {};
Answer run(const Request&, api::Call&) { return {}; }

constexpr api::Operation<Request, Answer> ten_a_second{
    .name = "ListThings",
    .summary = "Ten calls a second.",
    .served_as = {api::master_2022},
    .effect = api::Effect::read,
    .action = api::open_to_all,
    .resource = api::everything,
    .callers = api::Callers::any_account,
    .rate = api::per_second(10),
    .run = run,
};
constexpr api::Operation<Request, Answer> two_a_minute{
    .name = "EnableThing",
    .summary = "Two calls a minute.",
    .served_as = {api::master_2022},
    .effect = api::Effect::write,
    .action = api::open_to_all,
    .resource = api::everything,
    .callers = api::Callers::any_account,
    .rate = {.calls = 2, .seconds = 60},
    .run = run,
};
constinit const api::AnyOperation list_things{ten_a_second};
constinit const api::AnyOperation enable_thing{two_a_minute};

int admitted(Throttle& throttle, int calls, std::string_view account, const api::AnyOperation& operation, std::int64_t now_ms) {
    int count = 0;
    for (int i = 0; i < calls; ++i) count += throttle.admit(account, operation, now_ms).admitted;
    return count;
}

TEST(Throttle, ABurstOfAWholeWindowPassesAndOneMoreIsToldHowLongToWait) {
    Throttle throttle;
    EXPECT_EQ(admitted(throttle, 10, "1", list_things, noon), 10);
    const auto refused = throttle.admit("1", list_things, noon);
    EXPECT_FALSE(refused.admitted);
    EXPECT_EQ(refused.wait_ms, 100);
}

TEST(Throttle, WhoWaitsAsLongAsHeWasToldIsAdmitted) {
    Throttle throttle;
    EXPECT_EQ(admitted(throttle, 3, "1", enable_thing, noon), 2);
    const auto refused = throttle.admit("1", enable_thing, noon + 1234);
    ASSERT_FALSE(refused.admitted);
    EXPECT_EQ(refused.wait_ms, 30'000 - 1234);
    EXPECT_FALSE(throttle.admit("1", enable_thing, noon + 1234 + refused.wait_ms - 1).admitted);
    EXPECT_TRUE(throttle.admit("1", enable_thing, noon + 1234 + refused.wait_ms).admitted);
}

TEST(Throttle, RefillsEvenlyAndNeverBeyondOneWindow) {
    Throttle throttle;
    EXPECT_EQ(admitted(throttle, 10, "1", list_things, noon), 10);
    EXPECT_EQ(admitted(throttle, 10, "1", list_things, noon + 350), 3);
    EXPECT_EQ(admitted(throttle, 10, "1", list_things, noon + 400), 1) << "the half that was left over counts";
    EXPECT_EQ(admitted(throttle, 30, "1", list_things, noon + 3'600'000), 10);
}

TEST(Throttle, WhatIsRefusedCostsNothing) {
    Throttle throttle;
    EXPECT_EQ(admitted(throttle, 1000, "1", list_things, noon), 10);
    EXPECT_EQ(admitted(throttle, 1, "1", list_things, noon + 100), 1);
}

TEST(Throttle, AccountsAndOperationsAreIndependent) {
    Throttle throttle;
    EXPECT_EQ(admitted(throttle, 20, "1", list_things, noon), 10);
    EXPECT_EQ(admitted(throttle, 20, "2", list_things, noon), 10);
    EXPECT_EQ(admitted(throttle, 20, "1", enable_thing, noon), 2);
}

TEST(Throttle, AClockThatIsMovedBackLocksNobodyOut) {
    Throttle throttle;
    EXPECT_EQ(admitted(throttle, 20, "1", list_things, noon), 10);
    EXPECT_EQ(admitted(throttle, 20, "1", list_things, noon - 3'600'000), 10);
    const auto refused = throttle.admit("1", list_things, noon - 3'600'000);
    EXPECT_FALSE(refused.admitted);
    EXPECT_EQ(refused.wait_ms, 100) << "and not the hour that it was moved by";
}

TEST(Throttle, ClearFillsEveryBucket) {
    Throttle throttle;
    EXPECT_EQ(admitted(throttle, 20, "1", list_things, noon), 10);
    throttle.clear();
    EXPECT_EQ(admitted(throttle, 20, "1", list_things, noon), 10);
}

TEST(Throttle, ManyAccountsAreCountedAndThoseLongGoneForgotten) {
    Throttle throttle;
    constexpr int accounts = 1'100'000;  // more than the shards keep
    for (int i = 0; i < accounts; ++i) ASSERT_TRUE(throttle.admit(std::to_string(i), enable_thing, noon + i).admitted);
    const auto now = noon + accounts;
    EXPECT_EQ(admitted(throttle, 3, std::to_string(accounts - 1), enable_thing, now), 1) << "who called just now is still counted";
    EXPECT_EQ(admitted(throttle, 3, "0", enable_thing, now), 2);
}

TEST(Throttle, ManyThreadsGetOneWindowTogether) {
    Throttle throttle;
    std::atomic<int> count{0};
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 8; ++t) crowd.emplace_back([&] { count += admitted(throttle, 100, "1", list_things, noon); });
    crowd.clear();
    EXPECT_EQ(count, 10);
}

}  // namespace
}  // namespace openrd::pipeline
