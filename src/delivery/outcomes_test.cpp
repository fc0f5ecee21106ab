// What the dispatcher makes of what a channel says.
#include "delivery/testing.hpp"

namespace openrd::delivery::testing {
namespace {

using ::testing::ElementsAre;
using Outcomes = DispatcherTest;

TEST_F(Outcomes, WhatWasNotSentIsTriedAgainAfterTwoEightAndThirtySeconds) {
    for (int i = 0; i < 4; ++i) gateway_.then(Sent::not_sent);
    queue("m-1");
    dispatch_to({&gateway_});
    at(noon);
    EXPECT_EQ(gateway_.count(), 2u) << "the first repetition is immediate";
    auto now = noon;
    std::size_t tries = 2;
    for (const std::int64_t wait : {2'000, 8'000, 30'000}) {
        at(now + wait - 1);
        EXPECT_EQ(gateway_.count(), tries) << wait;
        now += wait + wait / 4;
        at(now);
        EXPECT_EQ(gateway_.count(), ++tries) << wait << ", and up to a quarter more";
    }
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Outcomes, IsNotTriedAgainWhenItsCodeWouldBeOver) {
    gateway_.then(Sent::not_sent).then(Sent::not_sent);
    queue("m-1", "65-81234567", useful_ms + 2'000);
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(gateway_.count(), 2u);
    EXPECT_EQ(count(store::message_expired), 1);
}

TEST_F(Outcomes, AThrottledOneWaitsAsLongAsTheChannelSays) {
    gateway_.then(Sent::throttled, 45'000);
    queue("m-1");
    dispatch_to({&gateway_});
    at(noon);
    at(noon + 44'999);
    EXPECT_EQ(gateway_.count(), 1u);
    at(noon + 45'000);
    EXPECT_EQ(gateway_.count(), 2u);
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Outcomes, AnUnknownOutcomeIsNeverRepeatedByTheMachine) {
    gateway_.then(Sent::unknown);
    queue("m-1");
    dispatch_to({&gateway_});
    at(noon);
    EXPECT_EQ(count(store::message_unknown), 1);
    at(noon + 300'000);
    EXPECT_EQ(gateway_.count(), 1u);
}

TEST_F(Outcomes, AnUnknownOutcomeIsAskedForOnce) {
    gateway_.then(Sent::unknown);
    gateway_.known = SendResult{.outcome = Sent::accepted, .provider_ref = "found", .provider_code = {}};
    queue("m-1");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(gateway_.count(), 1u);
}

TEST_F(Outcomes, AnUnknownOutcomeOfARepeatableChannelIsTriedAgain) {
    ScriptedChannel webhook("webhook", "", true);
    webhook.then(Sent::unknown);
    queue("m-1");
    dispatch_to({&webhook});
    dispatcher_->drained();
    EXPECT_THAT(webhook.sent(), ElementsAre("m-1", "m-1"));
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Outcomes, AChannelThatThrowsMayHaveSentIt) {
    gateway_.then([](const OutgoingMessage&, std::stop_token) -> SendResult { throw std::runtime_error("reset"); });
    queue("m-1");
    queue("m-2");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_unknown), 1);
    EXPECT_EQ(count(store::message_accepted), 1) << "and the next one goes its way";
}

TEST_F(Outcomes, ARejectedMessageIsNotTriedAgain) {
    gateway_.then(Sent::rejected);
    queue("m-1");
    dispatch_to({&gateway_, &inbox_channel_});
    at(noon);
    at(noon + 300'000);
    EXPECT_EQ(count(store::message_rejected), 1);
    EXPECT_EQ(gateway_.count(), 1u);
    EXPECT_EQ(inbox_.size(), 0u);
}

TEST_F(Outcomes, AStopIsToldInTheTransactionThatWritesItDown) {
    std::vector<std::string> told;
    options_.opted_out = [&](db::Transaction& tx, const Destination& to, std::string_view channel, std::int64_t now_ms) {
        EXPECT_EQ(store::find_message(tx, account, "m-1")->state, store::message_rejected);
        EXPECT_EQ(now_ms, noon);
        told.push_back(std::string(to.number.reveal_e164()) + " " + std::string(channel));
    };
    gateway_.then(
        [](const OutgoingMessage&, const std::stop_token&) { return SendResult{.outcome = Sent::rejected, .provider_ref = {}, .provider_code = "21610", .opted_out = true}; });
    gateway_.then(Sent::rejected);
    queue("m-1");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    queue("m-2");
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_rejected), 2);
    EXPECT_THAT(told, ::testing::ElementsAre("+6581234567 gateway"));
}

TEST_F(Outcomes, AChannelThatIsDownIsFollowedByTheNextThatReachesTheNumber) {
    ScriptedChannel elsewhere("elsewhere", "1"), second("second");
    gateway_.then(Sent::channel_down);
    queue("m-1");
    dispatch_to({&gateway_, &elsewhere, &second});
    dispatcher_->drained();
    EXPECT_EQ(gateway_.count(), 1u);
    EXPECT_EQ(elsewhere.count(), 0u);
    EXPECT_EQ(second.count(), 1u);
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Outcomes, AMessageGoesToTheFirstChannelThatReachesItsNumber) {
    ScriptedChannel singapore("singapore", "65"), america("america", "1");
    queue("m-1", "65-81234567");
    queue("m-2", "1-2025550123");
    queue("m-3", "49-15112345678");
    dispatch_to({&singapore, &america});
    dispatcher_->drained();
    EXPECT_THAT(singapore.sent(), ElementsAre("m-1"));
    EXPECT_THAT(america.sent(), ElementsAre("m-2"));
    EXPECT_EQ(count(store::message_rejected), 1) << "nobody reaches the third";
}

TEST_F(Outcomes, AMessageOfAChannelThatIsGoneIsUnknownNotSentByAnother) {
    ScriptedChannel second("second");
    gateway_.then(Sent::channel_down);
    second.then(Sent::throttled);
    queue("m-1");
    dispatch_to({&gateway_, &second});
    dispatcher_->drained();
    ASSERT_EQ(count(store::message_queued), 1);
    dispatcher_.reset();

    clock_.set_ms(noon + 10'000);
    ASSERT_EQ(take("second"), 1u);
    EXPECT_EQ(row("m-1").channel, "second");
    clock_.set_ms(noon + 10'000 + lease_ms);
    dispatch_to({&inbox_channel_});
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_unknown), 1);
    EXPECT_EQ(inbox_.size(), 0u);
}

TEST_F(Outcomes, AMessageThatCannotBeReadIsRefusedAndHoldsUpNobody) {
    const keys::Ring other{base::Secret(std::string(32, 'o'))};
    engine_.write_and_wait([&](db::Transaction& tx) {
        store::insert_message(tx, {.account_id = std::string(account),
                                   .message_id = "a",
                                   .purpose = "bind",
                                   .verification_id = std::string(16, 'v'),
                                   .code_key_id = 1,
                                   .phone_sealed = other.seal(keys::Purpose::outbox, "65-81234567", "a"),
                                   .not_before_ms = noon,
                                   .expires_at_ms = noon + 600'000,
                                   .created_at_ms = noon});
    });
    queue("b", "not a number");
    queue("c");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("c"));
    EXPECT_EQ(count(store::message_rejected), 2);
}

}  // namespace
}  // namespace openrd::delivery::testing
