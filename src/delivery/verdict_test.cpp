// Each transition of the state machine, without anything around it.
#include "delivery/verdict.hpp"

#include "delivery/breaker.hpp"

#include <gtest/gtest.h>

namespace openrd::delivery {
namespace {

constexpr std::int64_t now = 1'764'000'000'000;

store::Message sending() {
    return {.account_id = "1",
            .message_id = "m",
            .state = std::string(store::message_sending),
            .channel = "first",
            .attempt_id = "at-1",
            .tries = 1,
            .not_before_ms = now + lease_ms,
            .expires_at_ms = now + 600'000,
            .created_at_ms = now};
}
store::Message unknown() {
    auto message = sending();
    message.state = store::message_unknown;
    return message;
}
SendResult said(Sent outcome, std::optional<std::int64_t> retry_after_ms = {}) {
    return {.outcome = outcome, .provider_ref = "ref", .provider_code = "42", .retry_after_ms = retry_after_ms, .segments = 2};
}
const Circumstances alone{.now_ms = now};
const Circumstances with_another{.now_ms = now, .next = "second"};

TEST(AfterSend, AcceptedIsAccepted) {
    const auto to = after_send(sending(), said(Sent::accepted), alone);
    EXPECT_EQ(to.state, store::message_accepted);
    EXPECT_EQ(to.provider_ref, "ref");
    EXPECT_EQ(to.provider_code, "42");
    EXPECT_EQ(to.segments, 2);
    EXPECT_EQ(to.channel, "first");
}

TEST(AfterSend, RejectedHasFailed) { EXPECT_EQ(after_send(sending(), said(Sent::rejected), with_another).state, store::message_rejected); }

TEST(AfterSend, WhatWasNotSentIsQueuedForTheNextChannel) {
    for (const auto outcome : {Sent::not_sent, Sent::channel_down}) {
        const auto to = after_send(sending(), said(outcome), with_another);
        EXPECT_EQ(to.state, store::message_queued);
        EXPECT_EQ(to.channel, "second");
        EXPECT_EQ(after_send(sending(), said(outcome), alone).channel, "first");
    }
}

TEST(AfterSend, ItWaitsLongerEachTime) {
    auto message = sending();
    for (const std::int64_t wait : {0, 2'000, 8'000, 30'000, 30'000}) {
        EXPECT_EQ(after_send(message, said(Sent::not_sent), alone).not_before_ms, now + wait);
        auto jittered = alone;
        jittered.jitter = 1;
        EXPECT_EQ(after_send(message, said(Sent::not_sent), jittered).not_before_ms, now + wait + wait / 4);
        ++message.tries;
    }
}

TEST(AfterSend, AThrottledOneStaysAndWaitsAsLongAsItIsTold) {
    const auto to = after_send(sending(), said(Sent::throttled, 45'000), with_another);
    EXPECT_EQ(to.state, store::message_queued);
    EXPECT_EQ(to.channel, "first");
    EXPECT_EQ(to.not_before_ms, now + 45'000);
}

TEST(AfterSend, WhoseWaitIsTooLongForTheCodeGoesElsewhere) {
    const auto to = after_send(sending(), said(Sent::throttled, 3'600'000), with_another);
    EXPECT_EQ(to.state, store::message_queued);
    EXPECT_EQ(to.channel, "second");
    EXPECT_EQ(to.not_before_ms, now);
    EXPECT_EQ(after_send(sending(), said(Sent::throttled, 3'600'000), alone).state, store::message_expired) << "when there is an elsewhere";
}

TEST(AfterSend, NothingIsQueuedIntoTheLastMinuteOfItsCode) {
    auto message = sending();
    message.tries = 2;
    message.expires_at_ms = now + 2'000 + useful_ms;
    EXPECT_EQ(after_send(message, said(Sent::not_sent), alone).state, store::message_expired);
    message.expires_at_ms += 1;
    EXPECT_EQ(after_send(message, said(Sent::not_sent), alone).state, store::message_queued);
}

TEST(AfterSend, UnknownIsUnknownAndAskedAboutAtOnce) {
    const auto to = after_send(sending(), said(Sent::unknown), with_another);
    EXPECT_EQ(to.state, store::message_unknown);
    EXPECT_EQ(to.not_before_ms, now);
    EXPECT_EQ(to.channel, "first");
}

TEST(AfterSend, UnknownOfARepeatableChannelIsQueued) {
    auto c = with_another;
    c.repeatable = true;
    const auto to = after_send(sending(), said(Sent::unknown), c);
    EXPECT_EQ(to.state, store::message_queued);
    EXPECT_EQ(to.channel, "first") << "another one would show it a second time";
}

TEST(AfterSend, ARowSaysWhyEvenWhenTheChannelHasNoCode) {
    EXPECT_EQ(after_send(sending(), {.outcome = Sent::not_sent, .provider_ref = {}, .provider_code = {}}, alone).provider_code, "not_sent");
    EXPECT_EQ(after_send(sending(), {.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}}, alone).provider_code, "");
}

TEST(AfterSend, WhatAProviderSaysFitsARow) {
    const auto to = after_send(sending(), {.outcome = Sent::rejected, .provider_ref = std::string(1'000, 'r'), .provider_code = "\xff\n\0x" + std::string(1'000, 'c')}, alone);
    EXPECT_EQ(to.provider_ref.size(), 128u);
    EXPECT_EQ(to.provider_code.size(), 64u);
    EXPECT_TRUE(to.provider_code.starts_with("??"));
}

TEST(AfterQuestion, WhatTheChannelHasIsAcceptedAndWhatItRefusedHasFailed) {
    EXPECT_EQ(after_question(unknown(), said(Sent::accepted), alone).state, store::message_accepted);
    EXPECT_EQ(after_question(unknown(), said(Sent::rejected), alone).state, store::message_rejected);
}

TEST(AfterQuestion, WhatNeverCameIsQueuedOnce) {
    auto to = after_question(unknown(), said(Sent::not_sent), alone);
    EXPECT_EQ(to.state, store::message_queued);
    EXPECT_EQ(to.repeats, 1);
    auto second = unknown();
    second.repeats = to.repeats;
    to = after_question(second, said(Sent::not_sent), alone);
    EXPECT_EQ(to.state, store::message_unknown_final);
}

TEST(AfterQuestion, AChannelThatDoesNotKnowIsAskedAgainLessAndLessOften) {
    auto c = alone;
    for (const auto& [age, wait] : {std::pair{0, 2'000}, {10'000, 5'000}, {40'000, 20'000}, {400'000, 30'000}}) {
        c.now_ms = now + age;
        const auto to = after_question(unknown(), {}, c);
        EXPECT_EQ(to.state, store::message_unknown);
        EXPECT_TRUE(to.kind.empty()) << "that is no event";
        EXPECT_EQ(to.not_before_ms, c.now_ms + wait) << age;
    }
}

TEST(AfterQuestion, WhatNobodyKnowsWhenItsTimeIsOverStaysUnknown) {
    auto c = alone;
    c.now_ms = now + 600'000 - useful_ms;
    EXPECT_EQ(after_question(unknown(), {}, c).state, store::message_unknown_final);
    EXPECT_EQ(after_question(unknown(), said(Sent::unknown), c).state, store::message_unknown_final);
    EXPECT_EQ(after_question(unknown(), said(Sent::accepted), c).state, store::message_accepted);
    EXPECT_EQ(after_question(unknown(), said(Sent::not_sent), c).state, store::message_expired);
}

TEST(AfterLostLease, NobodyKnowsUnlessTheChannelIsRepeatable) {
    auto c = alone;
    EXPECT_EQ(after_lost_lease(sending(), c).state, store::message_unknown);
    c.repeatable = true;
    EXPECT_EQ(after_lost_lease(sending(), c).state, store::message_queued);
}

TEST(GivenBack, IsAsItWasBefore) {
    auto to = given_back(sending(), now);
    EXPECT_EQ(to.state, store::message_queued);
    EXPECT_EQ(to.tries, 0);
    to = given_back(unknown(), now);
    EXPECT_EQ(to.state, store::message_unknown);
    EXPECT_EQ(to.tries, 1);
}

TEST(ABreaker, OpensWhenTheChannelIsDownAndAfterFailuresInARow) {
    Breaker breaker;
    breaker.report(Sent::channel_down, now);
    EXPECT_FALSE(breaker.admits(now));
    Breaker other;
    for (int i = 1; i < Breaker::failures_to_open; ++i) other.report(Sent::not_sent, now);
    other.report(Sent::accepted, now);
    for (int i = 1; i < Breaker::failures_to_open; ++i) other.report(i % 2 ? Sent::throttled : Sent::unknown, now);
    EXPECT_TRUE(other.admits(now)) << "not in a row";
    other.report(Sent::not_sent, now);
    EXPECT_EQ(other.state(), Breaker::State::open);
    EXPECT_FALSE(other.admits(now));
}

TEST(ABreaker, LetsOneThroughAfterAWhileAndClosesWhenThatOneComesThrough) {
    Breaker breaker;
    breaker.report(Sent::channel_down, now);
    EXPECT_FALSE(breaker.admits(now + Breaker::first_pause_ms - 1));
    const auto later = now + Breaker::first_pause_ms;
    EXPECT_TRUE(breaker.admits(later));
    breaker.begin(later);
    EXPECT_EQ(breaker.state(), Breaker::State::half_open);
    EXPECT_FALSE(breaker.admits(later)) << "one";
    breaker.undo();
    EXPECT_TRUE(breaker.admits(later)) << "it was not begun with";
    breaker.begin(later);
    breaker.report(Sent::rejected, later);
    EXPECT_EQ(breaker.state(), Breaker::State::closed) << "a channel that refuses a message works";
}

TEST(ABreaker, WaitsLongerEachTime) {
    Breaker breaker;
    auto at = now;
    breaker.report(Sent::channel_down, at);
    for (const std::int64_t pause : {60'000, 120'000, 240'000, 300'000, 300'000}) {
        at = breaker.until_ms();
        breaker.begin(at);
        breaker.report(Sent::not_sent, at);
        EXPECT_EQ(breaker.until_ms(), at + pause);
    }
    at = breaker.until_ms();
    breaker.begin(at);
    breaker.report(Sent::accepted, at);
    breaker.report(Sent::channel_down, at, 100'000);
    EXPECT_EQ(breaker.until_ms(), at + 100'000) << "as long as it is told";
}

}  // namespace
}  // namespace openrd::delivery
