#include "pipeline/nonces.hpp"

#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace openrd::pipeline {
namespace {

using Verdict = Nonces::Verdict;
using base::hour_ms, base::minute_ms, base::second_ms;

constexpr std::int64_t window = 15 * minute_ms;
constexpr std::int64_t noon = 1'764'000'000'000;  // some time, not on the minute's edge
constexpr std::size_t ample = 256u * 1024 * 1024;

// The n-th nonce: as evenly spread as the keyed hash would be, and the same in every run.
std::string nonce(std::uint64_t n, std::uint64_t series = 0) {
    const auto mixed = [](std::uint64_t x) {  // SplitMix64
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
        return x ^ (x >> 31);
    };
    const auto seed = mixed(series + 1) + n * 2;
    const std::uint64_t halves[] = {mixed(seed * 0x9E3779B97F4A7C15u), mixed((seed + 1) * 0x9E3779B97F4A7C15u)};
    std::string hash(sizeof halves, '\0');
    std::memcpy(hash.data(), halves, sizeof halves);
    return hash;
}

// How many of the nonces [0, count) get the verdict.
std::size_t how_many(Nonces& nonces, std::size_t count, Verdict verdict, std::int64_t signed_ms, std::int64_t now_ms, std::uint64_t series = 0) {
    std::size_t found = 0;
    for (std::size_t n = 0; n < count; ++n) found += nonces.take(nonce(n, series), signed_ms, now_ms) == verdict;
    return found;
}

TEST(Nonces, IsFreshOnceAndThenUsed) {
    Nonces nonces(window);
    EXPECT_EQ(nonces.take(nonce(1), noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take(nonce(1), noon, noon), Verdict::used);
    EXPECT_EQ(nonces.take(nonce(1), noon + minute_ms, noon + 1), Verdict::used) << "signed again with the same nonce";
    EXPECT_EQ(nonces.take(nonce(2), noon, noon), Verdict::fresh);
}

TEST(Nonces, AHashOfAnotherLengthDoesNoHarm) {
    Nonces nonces(window);
    EXPECT_EQ(nonces.take("", noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take("", noon, noon), Verdict::used);
    EXPECT_EQ(nonces.take("short", noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take(std::string(40, 'x'), noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take(std::string(40, 'x'), noon, noon), Verdict::used);
}

TEST(Nonces, TwoHundredThousandAreFreshOnceAndUsedEverAfter) {
    Nonces nonces(window);
    EXPECT_EQ(how_many(nonces, 200'000, Verdict::fresh, noon, noon), 200'000u);
    EXPECT_EQ(how_many(nonces, 200'000, Verdict::used, noon, noon + 1), 200'000u);
}

TEST(Nonces, OfManyThreadsWithOneNonceExactlyOneIsFresh) {
    constexpr int threads = 64, rounds = 200;
    Nonces nonces(window);
    std::atomic<int> fresh{0}, used{0};
    std::barrier together(threads);
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t)
        crowd.emplace_back([&] {
            for (int round = 0; round < rounds; ++round) {
                together.arrive_and_wait();
                (nonces.take(nonce(static_cast<std::uint64_t>(round)), noon, noon) == Verdict::fresh ? fresh : used).fetch_add(1);
            }
        });
    crowd.clear();
    EXPECT_EQ(fresh, rounds);
    EXPECT_EQ(used, rounds * (threads - 1));
}

TEST(Nonces, ExactlyOneIsFreshWhileTheTableGrowsAndTheMinuteChanges) {
    constexpr std::uint64_t threads = 8, count = 60'000;
    Nonces nonces(window);
    std::atomic<std::uint64_t> fresh{0}, too_old{0};
    std::barrier together(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::jthread> crowd;
    // Everybody brings the same ones in the same order, so that they meet; the clock passes a minute every 20,000.
    for (std::uint64_t t = 0; t < threads; ++t)
        crowd.emplace_back([&] {
            for (std::uint64_t n = 0; n < count; ++n) {
                if (n % 1000 == 0) together.arrive_and_wait();
                const auto verdict = nonces.take(nonce(n), noon, noon + static_cast<std::int64_t>(n) * 3);
                if (verdict == Verdict::fresh) ++fresh;
                if (verdict == Verdict::too_old) ++too_old;
            }
        });
    crowd.clear();
    EXPECT_EQ(fresh, count);
    EXPECT_EQ(too_old, 0u);
    EXPECT_GT(nonces.bytes(), 512u * 1024) << "it did not grow: the test shows nothing";
}

TEST(Nonces, BeginsSmallAndGrowsByDoubling) {
    Nonces nonces(window);
    EXPECT_EQ(nonces.bytes(), 0u);
    how_many(nonces, 30'000, Verdict::fresh, noon, noon);
    EXPECT_EQ(nonces.bytes(), 512u * 1024) << "30,000 are less than 60 % of its 57,344 places";
    how_many(nonces, 40'000, Verdict::fresh, noon, noon);
    EXPECT_EQ(nonces.bytes(), (512u + 1024) * 1024);
    how_many(nonces, 200'000, Verdict::fresh, noon, noon);
    EXPECT_EQ(nonces.bytes(), (512u + 1024 + 2048) * 1024);
    EXPECT_EQ(how_many(nonces, 200'000, Verdict::used, noon, noon), 200'000u) << "those in the old tables too";
}

TEST(Nonces, GivesAnOldTableBackWhenItsLastNonceIsDead) {
    Nonces nonces(window);
    how_many(nonces, 40'000, Verdict::fresh, noon, noon);
    ASSERT_EQ(nonces.bytes(), (512u + 1024) * 1024);
    nonces.take(nonce(0, 1), noon + 12 * minute_ms, noon + 12 * minute_ms);
    EXPECT_EQ(nonces.bytes(), (512u + 1024) * 1024);
    nonces.take(nonce(1, 1), noon + 20 * minute_ms, noon + 20 * minute_ms);
    EXPECT_EQ(nonces.bytes(), 1024u * 1024);
}

TEST(Nonces, ADeadTableThatHadGrownIsGivenBackToo) {
    Nonces nonces(window);
    how_many(nonces, 200'000, Verdict::fresh, noon, noon);
    ASSERT_GT(nonces.bytes(), 2048u * 1024);
    nonces.take(nonce(0, 1), noon + hour_ms, noon + hour_ms);
    EXPECT_EQ(nonces.bytes(), 512u * 1024);
}

TEST(Nonces, ExpiresByTheSignedTimeNotByArrival) {
    Nonces nonces(window);
    const auto ahead = noon + 14 * minute_ms, behind = noon - 14 * minute_ms;
    ASSERT_EQ(nonces.take(nonce(1), ahead, noon), Verdict::fresh);
    ASSERT_EQ(nonces.take(nonce(2), behind, noon), Verdict::fresh);
    // What was signed 14 minutes ahead passes the window for 29 minutes.
    EXPECT_EQ(nonces.take(nonce(1), ahead, noon + 28 * minute_ms), Verdict::used);
    EXPECT_EQ(nonces.take(nonce(1), ahead, noon + 29 * minute_ms), Verdict::used);
    // The other one has been dead for long: signed anew it is another request.
    EXPECT_EQ(nonces.take(nonce(2), noon + 29 * minute_ms, noon + 29 * minute_ms), Verdict::fresh);
    EXPECT_EQ(nonces.take(nonce(1), noon + 32 * minute_ms, noon + 32 * minute_ms), Verdict::fresh);
}

TEST(Nonces, EveryMillisecondOfTheWindowIsRefused) {
    for (const auto offset : {-window, -window + 1, -minute_ms, std::int64_t{0}, std::int64_t{1}, minute_ms, window - 1, window}) {
        Nonces nonces(window);
        ASSERT_EQ(nonces.take(nonce(1), noon + offset, noon), Verdict::fresh) << offset;
        for (auto now = noon; now <= noon + offset + window; now += 7 * second_ms)
            ASSERT_EQ(nonces.take(nonce(1), noon + offset, now), Verdict::used) << offset << " at " << now - noon;
        ASSERT_EQ(nonces.take(nonce(1), noon + offset, noon + offset + window), Verdict::used) << offset;
    }
}

TEST(Nonces, AnotherWindowHoldsAsWell) {
    for (const auto length : {std::int64_t{0}, second_ms, 90 * second_ms, 2 * hour_ms, 24 * hour_ms}) {
        Nonces nonces(length);
        ASSERT_EQ(nonces.take(nonce(1), noon + length, noon), Verdict::fresh) << length;
        for (int i = 0; i <= 100; ++i) ASSERT_EQ(nonces.take(nonce(1), noon + length, noon + 2 * length * i / 100), Verdict::used) << length << " at " << i;
        const auto later = noon + 3 * length + 10 * minute_ms;
        ASSERT_EQ(nonces.take(nonce(1), later, later), Verdict::fresh) << length;
    }
}

// Stamps have 8 bits: a day of traffic passes over all of them several times.
TEST(Nonces, NoMinuteOfADayIsTakenForAnother) {
    Nonces nonces(window, ample);
    constexpr std::uint64_t per_minute = 50;
    for (std::int64_t minute = 0; minute < 24 * 60; ++minute) {
        const auto now = noon + minute * minute_ms;
        for (std::uint64_t i = 0; i < per_minute; ++i) ASSERT_EQ(nonces.take(nonce(i, static_cast<std::uint64_t>(minute) + 1), now, now), Verdict::fresh) << minute;
        for (const std::int64_t ago : {0, 1, 14, 15}) {
            if (minute < ago) continue;
            for (std::uint64_t i = 0; i < per_minute; ++i)
                ASSERT_EQ(nonces.take(nonce(i, static_cast<std::uint64_t>(minute - ago) + 1), now - ago * minute_ms, now), Verdict::used) << minute;
        }
        ASSERT_LE(nonces.bytes(), 2 * 512u * 1024) << "what is dead is not kept";
    }
}

// 64 bits of the hash are compared with 14 others in each table: a false `used` among a million has a probability of about 1e-12.
TEST(Nonces, NoneOfAMillionRandomOnesIsTakenForAnother) {
    Nonces nonces(window);
    constexpr std::size_t million = 1'000'000;
    std::mt19937_64 random(20251124);
    std::size_t fresh = 0;
    for (std::size_t n = 0; n < million; ++n) {
        const std::uint64_t halves[] = {random(), random()};
        fresh += nonces.take(std::string_view(reinterpret_cast<const char*>(halves), sizeof halves), noon, noon + static_cast<std::int64_t>(n) / 10) == Verdict::fresh;
    }
    EXPECT_EQ(fresh, million);
    EXPECT_LE(nonces.bytes(), 32u * 1024 * 1024) << "15 bytes each as planned, up to twice that just after it grew, and as much again in the old tables";
}

// Neither half alone says which nonce it is.
TEST(Nonces, NoncesThatAgreeInOneHalfAreTwo) {
    Nonces nonces(window);
    const auto a = nonce(1), b = nonce(2);
    EXPECT_EQ(nonces.take(a, noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take(a.substr(0, 8) + b.substr(8), noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take(b.substr(0, 8) + a.substr(8), noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take(b, noon, noon), Verdict::fresh);
}

TEST(Nonces, AtTheBoundTheOldestMinuteIsForgottenAndWhatWasSignedThenIsTooOld) {
    constexpr std::size_t bound = 64 * 1024;
    Nonces nonces(window, bound);
    // 1,000 a minute are more than 64 KiB can keep for half an hour.
    constexpr std::size_t per_minute = 1000;
    std::int64_t refused_up_to = -1;
    for (std::int64_t minute = 0; minute < 60; ++minute) {
        const auto now = noon + minute * minute_ms;
        ASSERT_EQ(how_many(nonces, per_minute, Verdict::fresh, now, now, static_cast<std::uint64_t>(minute) + 1), per_minute) << minute;
        ASSERT_LE(nonces.bytes(), bound);
        // Whatever could be sent again is refused, in one way or the other, and the two ways do not mix.
        for (std::int64_t then = std::max<std::int64_t>(0, minute - 15); then <= minute; ++then) {
            const auto series = static_cast<std::uint64_t>(then) + 1;
            const auto used = how_many(nonces, per_minute, Verdict::used, noon + then * minute_ms, now, series);
            if (used == per_minute) continue;
            ASSERT_EQ(used, 0u);
            ASSERT_EQ(how_many(nonces, per_minute, Verdict::too_old, noon + then * minute_ms, now, series), per_minute);
            refused_up_to = std::max(refused_up_to, then);
        }
        ASSERT_LT(refused_up_to, minute) << "the minute at hand is served";
    }
    EXPECT_GE(refused_up_to, 50) << "the bound was not reached: the test shows nothing";
}

TEST(Nonces, AFreshOneSignedBeforeTheFloorIsTooOld) {
    Nonces nonces(window, 64 * 1024);
    how_many(nonces, 2000, Verdict::fresh, noon, noon);
    how_many(nonces, 5000, Verdict::fresh, noon + minute_ms, noon + minute_ms, 1);
    EXPECT_EQ(nonces.take(nonce(1, 2), noon, noon + minute_ms), Verdict::too_old);
    EXPECT_EQ(nonces.take(nonce(1, 2), noon + 2 * minute_ms, noon + minute_ms), Verdict::fresh);
}

TEST(Nonces, WhenOneMinuteAloneFillsTheBoundNothingIsAcceptedTwice) {
    Nonces nonces(window, 16 * 1024);
    std::size_t fresh = 0, too_old = 0;
    for (std::uint64_t n = 0; n < 20'000; ++n) {
        const auto verdict = nonces.take(nonce(n), noon, noon);
        fresh += verdict == Verdict::fresh;
        too_old += verdict == Verdict::too_old;
    }
    EXPECT_EQ(fresh + too_old, 20'000u);
    EXPECT_GE(fresh, 500u);
    EXPECT_GE(too_old, 18'000u);
    EXPECT_EQ(how_many(nonces, 20'000, Verdict::fresh, noon, noon), 0u);
    EXPECT_EQ(nonces.take(nonce(1, 1), noon + 2 * minute_ms, noon + 2 * minute_ms), Verdict::fresh) << "the next minutes are served";
    EXPECT_LE(nonces.bytes(), 16u * 1024);
}

TEST(Nonces, AcceptsNothingTwiceAtTheBoundWithManyThreads) {
    constexpr std::uint64_t threads = 8, count = 30'000;
    Nonces nonces(window, 128 * 1024);
    std::vector<std::atomic<int>> fresh(count);
    std::barrier together(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::jthread> crowd;
    for (std::uint64_t t = 0; t < threads; ++t)
        crowd.emplace_back([&] {
            for (std::uint64_t n = 0; n < count; ++n) {
                if (n % 500 == 0) together.arrive_and_wait();
                const auto time = noon + static_cast<std::int64_t>(n) * 50;
                if (nonces.take(nonce(n), time, time) == Verdict::fresh) ++fresh[n];
            }
        });
    crowd.clear();
    std::size_t once = 0;
    for (const auto& times : fresh) {
        ASSERT_LE(times, 1);
        once += times == 1;
    }
    EXPECT_GE(once, count * 9 / 10);
    EXPECT_LE(nonces.bytes(), 128u * 1024);
}

TEST(Nonces, AClockThatIsSetBackALittleForgetsNothing) {
    Nonces nonces(window);
    how_many(nonces, 1000, Verdict::fresh, noon, noon);
    for (const auto back : {second_ms, minute_ms, 14 * minute_ms}) EXPECT_EQ(how_many(nonces, 1000, Verdict::used, noon, noon - back), 1000u) << back;
    EXPECT_EQ(how_many(nonces, 1000, Verdict::used, noon, noon + 14 * minute_ms), 1000u);
}

TEST(Nonces, AClockThatIsSetFarBackForgetsNothingThatIsStillToCome) {
    Nonces nonces(window);
    how_many(nonces, 1000, Verdict::fresh, noon, noon);
    const auto earlier = noon - 10 * hour_ms;
    EXPECT_EQ(how_many(nonces, 1000, Verdict::fresh, earlier, earlier, 1), 1000u) << "and the time it shows is served";
    EXPECT_EQ(how_many(nonces, 1000, Verdict::used, earlier, earlier, 1), 1000u);
    EXPECT_EQ(how_many(nonces, 1000, Verdict::used, noon, earlier), 1000u);
    // It goes on, minute by minute, until it is noon again.
    for (auto now = earlier; now < noon; now += minute_ms) nonces.take(nonce(static_cast<std::uint64_t>(now), 2), now, now);
    EXPECT_EQ(how_many(nonces, 1000, Verdict::used, noon, noon), 1000u);
    EXPECT_EQ(how_many(nonces, 1000, Verdict::used, noon, noon + window), 1000u);
}

TEST(Nonces, AClockThatGoesToAndFroKeepsBothTimesAndLittleMemory) {
    Nonces nonces(window);
    for (int round = 0; round < 500; ++round) {
        const auto there = noon + 24 * hour_ms, series = std::int64_t{2} * round;
        ASSERT_EQ(nonces.take(nonce(1, static_cast<std::uint64_t>(series)), there, there), Verdict::fresh);
        ASSERT_EQ(nonces.take(nonce(1, static_cast<std::uint64_t>(series + 1)), noon, noon), Verdict::fresh);
        for (int before = 0; before <= round; before += 50) ASSERT_EQ(nonces.take(nonce(1, static_cast<std::uint64_t>(2 * before)), there, noon), Verdict::used) << round;
    }
    EXPECT_LE(nonces.bytes(), 4 * 512u * 1024);
}

TEST(Nonces, AClockThatIsSetBackAThousandTimesStaysWithinTheBound) {
    constexpr std::size_t bound = 8u * 1024 * 1024;
    Nonces nonces(window, bound);
    for (int back = 0; back < 1000; ++back) {
        const auto now = noon - back * 5 * hour_ms;
        ASSERT_EQ(nonces.take(nonce(1, static_cast<std::uint64_t>(back)), now, now), Verdict::fresh);
        ASSERT_EQ(nonces.take(nonce(1, static_cast<std::uint64_t>(back)), now, now), Verdict::used);
        ASSERT_LE(nonces.bytes(), bound);
    }
}

// The sandbox takes a time signed by the real clock while its own shows another day.
TEST(Nonces, WhatIsSignedByAnotherClockIsKeptForTwoWindows) {
    for (const auto other : {noon - 48 * hour_ms, noon + 48 * hour_ms, noon - 16 * minute_ms, noon + 17 * minute_ms}) {
        Nonces nonces(window);
        ASSERT_EQ(how_many(nonces, 100, Verdict::fresh, other, noon), 100u);
        for (auto now = noon; now <= noon + 2 * window; now += minute_ms) ASSERT_EQ(how_many(nonces, 100, Verdict::used, other, now), 100u) << other - noon << " at " << now - noon;
    }
}

TEST(Nonces, AtTheBoundWhatIsSignedByAnotherClockIsTooOldRatherThanAcceptedTwice) {
    Nonces nonces(window, 16 * 1024);
    std::size_t fresh = 0;
    const auto other = noon + 48 * hour_ms;
    for (int round = 0; round < 2; ++round) fresh += how_many(nonces, 5000, Verdict::fresh, other, noon);
    EXPECT_GE(fresh, 500u);
    EXPECT_LT(fresh, 2000u) << "5,000 do not fit, and none may be fresh twice";
}

TEST(Nonces, ClearForgetsAllAndTheFloorToo) {
    Nonces nonces(window, 16 * 1024);
    how_many(nonces, 20'000, Verdict::fresh, noon, noon);
    ASSERT_EQ(nonces.take(nonce(1), noon, noon), Verdict::too_old);
    nonces.clear();
    EXPECT_EQ(nonces.bytes(), 0u);
    EXPECT_EQ(nonces.take(nonce(1), noon, noon), Verdict::fresh);
    EXPECT_EQ(nonces.take(nonce(1), noon, noon), Verdict::used);
    EXPECT_EQ(nonces.take(nonce(2), noon - 100 * hour_ms, noon - 100 * hour_ms), Verdict::fresh);
}

TEST(Nonces, MayBeClearedWhileOthersTake) {
    Nonces nonces(window);
    std::atomic<bool> over{false};
    std::vector<std::jthread> crowd;
    std::atomic<std::uint64_t> fresh{0};
    for (std::uint64_t t = 0; t < 4; ++t)
        crowd.emplace_back([&, t] {
            for (std::uint64_t n = 0; n < 50'000; ++n) fresh += nonces.take(nonce(n, t), noon, noon) == Verdict::fresh;
        });
    std::jthread eraser([&] {
        while (!over) nonces.clear();
    });
    crowd.clear();
    over = true;
    eraser.join();
    EXPECT_EQ(fresh, 200'000u) << "each was brought once";
}

}  // namespace
}  // namespace openrd::pipeline
