#include "delivery/dispatcher.hpp"

#include "delivery/testing.hpp"

#include <fstream>
#include <future>
#include <iterator>
#include <thread>

namespace openrd::delivery::testing {
namespace {

using ::testing::ElementsAre;
using Dispatching = DispatcherTest;

TEST_F(Dispatching, AQueuedMessageArrivesWithTheCodeThatBindWillDerive) {
    queue("m-1");
    dispatch_to({&inbox_channel_});
    dispatcher_->drained();
    const auto messages = inbox_.find({});
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].id, std::string(account) + "-m-1") << "the key of the outbox";
    EXPECT_EQ(messages[0].to.reveal(), "65-81234567");
    EXPECT_EQ(messages[0].account_id, account);
    EXPECT_EQ(messages[0].purpose, "bind");
    EXPECT_EQ(messages[0].code.reveal(), code("+6581234567"));
    EXPECT_EQ(messages[0].sent_at_ms, noon);
    EXPECT_EQ(messages[0].expires_at_ms, noon + 600'000);
    EXPECT_NE(messages[0].text.reveal().find("Valid for 10 minutes"), std::string::npos);
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Dispatching, ACommitWakesIt) {
    dispatch_to({&inbox_channel_});
    dispatcher_->drained();
    std::promise<std::size_t> told;
    inbox_.wait({}, 60'000, [&](std::vector<InboxMessage> messages) { told.set_value(messages.size()); });
    queue("m-1");
    EXPECT_EQ(told.get_future().get(), 1u);
}

TEST_F(Dispatching, WhatWaitedForAServerThatWasDownIsSentAtItsStart) {
    queue("m-1");
    queue("m-2");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1", "m-2"));
}

TEST_F(Dispatching, TakesManyAtATimeAndWritesDownTogetherWhatHasBecomeOfThem) {
    for (int i = 10; i < 67; ++i) queue("m-" + std::to_string(i));
    engine_.writes = 0;
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(gateway_.count(), 57u);
    EXPECT_EQ(count(store::message_accepted), 57);
    EXPECT_LE(engine_.writes, 57 + 3) << "what was taken together is one write, and with it goes what is to be settled";
}

TEST_F(Dispatching, NeitherNumberNorCodeIsInTheDatabase) {
    queue("m-1");
    dispatch_to({&inbox_channel_});
    dispatcher_->drained();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_.path())) {
        if (!entry.is_regular_file()) continue;
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string bytes(std::istreambuf_iterator<char>(file), {});
        for (const auto& secret : {std::string("81234567"), code("+6581234567")}) EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
    }
}

TEST_F(Dispatching, AMessageWhoseWorkerDiedAfterSendingIsInTheInboxOnce) {
    queue("m-1");
    ASSERT_EQ(take("inbox"), 1u);
    inbox_channel_.send({.id = std::string(account) + "-m-1", .to = *phone::MobileNumber::parse("65-81234567"), .code = base::Secret(code("+6581234567"))}, {});
    dispatch_to({&inbox_channel_});
    at(noon + lease_ms - 1);
    EXPECT_EQ(count(store::message_sending), 1) << "the lease is not over: the worker may be alive";
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(inbox_.size(), 1u);
}

TEST_F(Dispatching, AMessageWhoseWorkerDiedBeforeSendingIsInTheInboxOnceToo) {
    queue("m-1");
    ASSERT_EQ(take("inbox"), 1u);
    dispatch_to({&inbox_channel_});
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(inbox_.size(), 1u);
}

TEST_F(Dispatching, AChannelThatCannotRepeatLeavesItUnknownInstead) {
    queue("m-1");
    ASSERT_EQ(take(), 1u);
    dispatch_to({&gateway_});
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_unknown), 1);
    EXPECT_EQ(gateway_.count(), 0u);
}

TEST_F(Dispatching, WhatTheChannelKnowsOfItSettlesIt) {
    queue("m-1");
    ASSERT_EQ(take(), 1u);
    gateway_.known = SendResult{.outcome = Sent::accepted, .provider_ref = "found", .provider_code = {}};
    dispatch_to({&gateway_});
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(gateway_.count(), 0u);
}

TEST_F(Dispatching, WhatTheChannelIsCertainWasNotSentIsSent) {
    queue("m-1");
    ASSERT_EQ(take(), 1u);
    gateway_.known = SendResult{.outcome = Sent::not_sent, .provider_ref = {}, .provider_code = {}};
    dispatch_to({&gateway_});
    at(noon + lease_ms);
    at(noon + lease_ms + 2500);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(gateway_.count(), 1u);
}

TEST_F(Dispatching, NothingIsSentInTheLastMinuteOfItsCode) {
    queue("in time", "65-81234567", useful_ms + 1);
    queue("too late", "65-81234567", useful_ms);
    queue("over", "65-81234567", -1);
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("in time"));
    EXPECT_EQ(count(store::message_expired), 2);
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Dispatching, ADiskThatIsFullWhenItTakesMessagesIsWaitedFor) {
    queue("m-1");
    engine_.reads_to_fail = 1;
    engine_.writes_to_fail = 1;
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(engine_.reads_to_fail, 0);
    EXPECT_EQ(engine_.writes_to_fail, 0);
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1"));
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Dispatching, WhatWasSentIsNotSentAgainBecauseTheDiskWasFullAfterwards) {
    queue("m-1");
    engine_.writes_to_pass = 1;
    engine_.writes_to_fail = 2;
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(engine_.writes_to_fail, 0);
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1"));
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Dispatching, StopWritesDownWhatWasSentAndGivesBackTheRest) {
    std::promise<void> begun;
    gateway_.then([&](const OutgoingMessage&, std::stop_token stop) {
        begun.set_value();
        while (!stop.stop_requested()) std::this_thread::yield();
        return SendResult{.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}};
    });
    for (const auto* id : {"m-1", "m-2", "m-3"}) queue(id);
    dispatch_to({&gateway_});
    begun.get_future().wait();
    dispatcher_->stop();
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1"));
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(count(store::message_queued), 2);
    EXPECT_EQ(count(store::message_sending), 0);

    dispatcher_->start();
    dispatcher_->drained();
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1", "m-2", "m-3"));
    EXPECT_EQ(count(store::message_accepted), 3);
}

TEST_F(Dispatching, ADatabaseThatIsGoneDoesNotHoldUpTheStop) {
    queue("m-1");
    engine_.writes_to_pass = 1;
    engine_.writes_to_fail = 1'000;
    dispatch_to({&inbox_channel_});
    while (inbox_.size() == 0) std::this_thread::yield();
    dispatcher_->stop();
    engine_.writes_to_fail = 0;
    EXPECT_EQ(count(store::message_sending), 1);
    dispatcher_->start();
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(inbox_.size(), 1u);
}

TEST_F(Dispatching, DrainedDoesNotWaitForOneThatIsStopped) {
    queue("m-1");
    dispatcher_.emplace(engine_, ring_, clock_, Router{&gateway_}, options_);
    dispatcher_->drained();
    dispatcher_->start();
    dispatcher_->drained();
    dispatcher_->stop();
    dispatcher_->stop();
    dispatcher_->drained();
    EXPECT_EQ(gateway_.count(), 1u);
}

TEST_F(Dispatching, ACommitAfterItsEndIsHarmless) {
    dispatch_to({&gateway_});
    dispatcher_->drained();
    dispatcher_.reset();
    queue("m-1");
    EXPECT_EQ(gateway_.count(), 0u);
}

}  // namespace
}  // namespace openrd::delivery::testing
