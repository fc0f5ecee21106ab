// Several dispatchers, several channels, and a database in trouble.
#include "delivery/testing.hpp"

#include <set>
#include <thread>

namespace openrd::delivery::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Several = DispatcherTest;

// Until the test lets it go on.
class Gate {
  public:
    std::function<SendResult(const OutgoingMessage&, std::stop_token)> hold() {
        return [this](const OutgoingMessage&, const std::stop_token& stop) {
            ++held;
            while (!open && !stop.stop_requested()) std::this_thread::yield();
            return SendResult{.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}};
        };
    }
    void wait_for(int n) const {
        while (held < n) std::this_thread::yield();
    }
    std::atomic<int> held{0};
    std::atomic<bool> open{false};
};

TEST_F(Several, AChannelThatBlocksHoldsUpNobodyElse) {
    Gate gate;
    ScriptedChannel slow("slow", "65"), quick("quick", "1");
    for (int i = 0; i < 8; ++i) slow.then(gate.hold());
    for (int i = 0; i < 150; ++i) queue("a-" + std::to_string(1000 + i), "65-81234567");
    dispatch_to({&slow, &quick});
    gate.wait_for(1);
    for (int i = 0; i < 30; ++i) queue("b-" + std::to_string(i), "1-2025550123");
    while (count(store::message_accepted) < 30) std::this_thread::yield();
    EXPECT_EQ(quick.count(), 30u);
    EXPECT_EQ(gate.held, 1);
    EXPECT_LE(count(store::message_sending), 20) << "no more is claimed than can be begun with";
    gate.open = true;
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_accepted), 180);
}

TEST_F(Several, AChannelHasAsManyThreadsAsItIsGiven) {
    Gate gate;
    for (int i = 0; i < 3; ++i) gateway_.then(gate.hold());
    for (const auto* id : {"m-1", "m-2", "m-3"}) queue(id);
    options_.workers = 3;
    dispatch_to({&gateway_});
    gate.wait_for(3);
    gate.open = true;
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_accepted), 3);
}

TEST_F(Several, DispatchersOfOneOutboxDoubleNothing) {
    options_.workers = 2;
    const auto other = open(directory_.path());
    ScriptedChannel here("gateway"), there("gateway");
    Dispatcher second(*other, ring_, clock_, Router{&there}, options_);
    for (int i = 0; i < 200; ++i) queue("a-" + std::to_string(i));
    dispatch_to({&here});
    second.start();
    for (int i = 0; i < 200; ++i) queue("b-" + std::to_string(i));
    while (count(store::message_accepted) < 400) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    second.stop();
    dispatcher_->stop();
    auto sent = here.sent();
    const auto others = there.sent();
    sent.insert(sent.end(), others.begin(), others.end());
    EXPECT_EQ(sent.size(), 400u);
    EXPECT_EQ(std::set<std::string>(sent.begin(), sent.end()).size(), 400u);
    for (const auto* id : {"a-0", "b-199"}) EXPECT_EQ(story(id), "sending accepted");
    other->close();
}

TEST_F(Several, WhoComesLateChangesNothing) {
    queue("m-1");
    store::Message seen;
    engine_.read([&](db::Transaction& tx) { seen = store::list_due_messages(tx, noon, {}, 1).at(0); });
    engine_.idle();
    const auto claim = [&](std::string_view attempt) {
        bool won = false;
        engine_.write_and_wait([&](db::Transaction& tx) { won = store::claim_message(tx, seen, attempt, "gateway", noon + lease_ms, noon); });
        return won;
    };
    EXPECT_TRUE(claim("at-1"));
    EXPECT_FALSE(claim("at-2"));
    auto mine = row("m-1");
    const auto settle = [&](std::string_view attempt, std::string_view state) {
        mine.attempt_id = attempt;
        std::optional<std::string> now;
        engine_.write_and_wait([&](db::Transaction& tx) { now = store::settle_message(tx, mine, ended(mine, state, "said"), noon); });
        return now;
    };
    EXPECT_FALSE(settle("at-2", store::message_queued)) << "not its message";
    EXPECT_EQ(settle("at-1", store::message_accepted), store::message_accepted);
    EXPECT_FALSE(settle("at-1", store::message_queued)) << "it was settled";
    EXPECT_EQ(row("m-1").state, store::message_accepted);
    EXPECT_EQ(story("m-1"), "sending accepted");
}

TEST_F(Several, ASlowOneStillSaysWhatBecameOfAnUnknownMessageThatNobodyElseTook) {
    queue("m-1");
    ASSERT_EQ(take(), 1u);
    auto mine = row("m-1");
    dispatch_to({&gateway_});
    at(noon + lease_ms);
    ASSERT_EQ(row("m-1").state, store::message_unknown);
    dispatcher_->stop();
    std::optional<std::string> now;
    engine_.write_and_wait([&](db::Transaction& tx) { now = store::settle_message(tx, mine, ended(mine, store::message_accepted, ""), noon + lease_ms); });
    EXPECT_FALSE(now) << "it was asked about since then, by another attempt";
}

TEST_F(Several, TheClaimSaysWhichChannelBeforeAnythingIsSent) {
    Gate gate;
    gateway_.then(gate.hold());
    queue("m-1");
    dispatch_to({&gateway_});
    gate.wait_for(1);
    const auto now = row("m-1");
    EXPECT_EQ(now.state, store::message_sending);
    EXPECT_EQ(now.channel, "gateway");
    EXPECT_EQ(now.tries, 1);
    EXPECT_FALSE(now.attempt_id.empty());
    EXPECT_EQ(now.not_before_ms, noon + lease_ms);
    gate.open = true;
    dispatcher_->drained();
    EXPECT_EQ(story("m-1"), "sending accepted");
}

TEST_F(Several, ARowThatTheDatabaseWillNotSettleHoldsUpNobody) {
    // Its event is there already, so that the next one is refused.
    gateway_.then([&](const OutgoingMessage&, const std::stop_token&) {
        static constexpr db::Sql in_the_way{
            "INSERT INTO outbox_events (account_id, message_id, n, at_ms, kind, channel, code, attempt_id) VALUES ($1, 'm-1', 2, 0, 'in the way', '', '', '')"};
        engine_.write_and_wait([](db::Transaction& tx) { tx.run(in_the_way, {account}); });
        return SendResult{.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}};
    });
    for (const auto* id : {"m-1", "m-2", "m-3"}) queue(id);
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1", "m-2", "m-3"));
    EXPECT_EQ(count(store::message_accepted), 2);
    EXPECT_EQ(row("m-1").state, store::message_sending);
    at(noon + lease_ms);
    EXPECT_EQ(gateway_.count(), 3u) << "and it is not sent again";
    queue("m-4");
    dispatcher_->drained();
    EXPECT_EQ(row("m-4").state, store::message_accepted);
}

TEST_F(Several, AClaimThatTheDatabaseDidNotTakeWasNotSent) {
    queue("m-1");
    engine_.writes_to_fail = 3;
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1"));
    EXPECT_EQ(row("m-1").tries, 1);
    EXPECT_EQ(story("m-1"), "sending accepted");
}

TEST_F(Several, ABreakerKeepsMessagesFromAChannelUntilAProbeComesThrough) {
    gateway_.then(Sent::channel_down).then(Sent::not_sent);
    queue("m-1");
    dispatch_to({&gateway_});
    at(noon);
    queue("m-2");
    queue("m-3");
    dispatcher_->drained();
    EXPECT_EQ(gateway_.count(), 1u);
    ASSERT_EQ(dispatcher_->channels().size(), 1u);
    EXPECT_EQ(dispatcher_->channels()[0].breaker, Breaker::State::open);
    EXPECT_THAT(dispatcher_->troubles(), ElementsAre(HasSubstr("gateway")));
    std::string metrics;
    append_prometheus(metrics, dispatcher_->channels());
    EXPECT_THAT(metrics, HasSubstr("openrd_channel_open{channel=\"gateway\"} 1\n"));

    at(noon + Breaker::first_pause_ms);
    EXPECT_EQ(gateway_.count(), 2u) << "one, which fails";
    at(noon + 3 * Breaker::first_pause_ms);
    EXPECT_EQ(gateway_.count(), 5u) << "one, which comes through, and then all";
    EXPECT_EQ(count(store::message_accepted), 3);
    EXPECT_TRUE(dispatcher_->troubles().empty());
}

TEST_F(Several, WhatWaitsForAChannelThatIsDownExpiresInTime) {
    ScriptedChannel down("down");
    for (int i = 0; i < 20; ++i) down.then(Sent::channel_down);
    queue("m-1");
    dispatch_to({&down});
    at(noon);
    at(noon + 600'000 - useful_ms);
    EXPECT_EQ(row("m-1").state, store::message_expired);
    EXPECT_EQ(row("m-1").provider_code, "channel_down") << "why";
    EXPECT_EQ(down.count(), 1u);
}

TEST_F(Several, AnOpenBreakerSendsNewMessagesToTheNextChannelAtOnce) {
    ScriptedChannel second("second");
    gateway_.then(Sent::channel_down);
    queue("m-1");
    dispatch_to({&gateway_, &second});
    dispatcher_->drained();
    queue("m-2");
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1"));
    EXPECT_THAT(second.sent(), ElementsAre("m-1", "m-2"));
}

TEST_F(Several, AnUnknownMessageIsAskedAboutUntilItsTimeIsOver) {
    gateway_.then(Sent::unknown);
    queue("m-1");
    dispatch_to({&gateway_});
    at(noon);
    EXPECT_EQ(row("m-1").state, store::message_unknown);
    gateway_.known = SendResult{.outcome = Sent::accepted, .provider_ref = "found", .provider_code = {}};
    at(noon + 2'000);
    EXPECT_EQ(row("m-1").state, store::message_accepted);
    EXPECT_EQ(row("m-1").provider_ref, "found");
    EXPECT_EQ(story("m-1"), "sending unknown accepted");
}

TEST_F(Several, AnUnknownMessageThatNobodyFindsIsADeadLetter) {
    gateway_.then(Sent::unknown);
    queue("m-1");
    dispatch_to({&gateway_});
    at(noon);
    at(noon + 300'000);
    at(noon + 600'000 - useful_ms);
    EXPECT_EQ(row("m-1").state, store::message_unknown_final);
    EXPECT_EQ(gateway_.count(), 1u);
    EXPECT_EQ(story("m-1"), "sending unknown unknown_final");
    std::int64_t dead = 0;
    engine_.read([&](db::Transaction& tx) { dead = store::count_dead_messages(tx, 0); });
    engine_.idle();
    EXPECT_EQ(dead, 1);
}

TEST_F(Several, WhatTheGatewayNeverSawIsSentOnceMoreAndThenNoMore) {
    gateway_.then(Sent::unknown).then(Sent::unknown);
    gateway_.known = SendResult{.outcome = Sent::not_sent, .provider_ref = {}, .provider_code = {}};
    queue("m-1");
    dispatch_to({&gateway_});
    for (const auto after : {0, 3'000, 6'000, 60'000}) at(noon + after);
    EXPECT_EQ(gateway_.count(), 2u);
    EXPECT_EQ(row("m-1").state, store::message_unknown_final);
    EXPECT_EQ(story("m-1"), "sending unknown queued sending unknown unknown_final");
}

TEST_F(Several, APhoneThatIsSuppressedIsSentNothing) {
    options_.refuse = [](db::Transaction&, const Destination& to, std::int64_t) { return std::string(to.number.reveal() == "65-81234567" ? "suppressed" : ""); };
    queue("m-1", "65-81234567");
    queue("m-2", "65-81234568");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-2"));
    EXPECT_EQ(row("m-1").state, store::message_rejected);
    EXPECT_EQ(row("m-1").provider_code, "suppressed");
}

TEST_F(Several, OldRowsAreTakenAwayWithTheirEvents) {
    for (int i = 0; i < 3; ++i) queue("old-" + std::to_string(i));
    options_.keep_ms = base::day_ms;
    dispatch_to({&gateway_});
    at(noon);
    clock_.set_ms(noon + base::hour_ms);
    queue("new");
    dispatcher_->drained();
    at(noon + base::day_ms + 600'000 + 1);
    dispatcher_->drained();
    EXPECT_EQ(story("old-0"), "");
    EXPECT_THROW(row("old-2"), std::runtime_error);
    EXPECT_EQ(row("new").state, store::message_accepted);
}

TEST_F(Several, WhatItCountsSaysNothingOfAnybody) {
    gateway_.then(Sent::not_sent);
    queue("m-1", "65-81234567");
    queue("m-2", "1-2025550123");
    gateway_.known = SendResult{.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}};
    dispatch_to({&gateway_});
    dispatcher_->drained();
    at(noon + 600'000);
    at(noon + 600'000);
    std::string text;
    append_prometheus(text, counters_.snapshot());
    EXPECT_THAT(text, HasSubstr("openrd_message_tries_total{channel=\"gateway\",country=\"65\",outcome=\"not_sent\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("openrd_messages_total{channel=\"gateway\",country=\"65\",state=\"accepted\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("openrd_messages_total{channel=\"gateway\",country=\"1\",state=\"accepted\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("openrd_codes_sent_total{channel=\"gateway\",country=\"65\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("openrd_codes_redeemed_total{channel=\"gateway\",country=\"65\"} 0\n"));
    EXPECT_EQ(text.find("8123"), std::string::npos);
}

}  // namespace
}  // namespace openrd::delivery::testing
