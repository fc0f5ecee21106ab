#include "delivery/dispatcher.hpp"

#include "base/log.hpp"
#include "db/open.hpp"
#include "delivery/inbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <iterator>
#include <memory>
#include <mutex>
#include <stdexcept>

namespace openrd::delivery {
namespace {

using testing::ElementsAre;

constexpr std::int64_t noon = 1'764'000'000'000;
constexpr std::string_view account = "1000000000000002";

class Directory {
  public:
    Directory() {
        std::string pattern = (std::filesystem::temp_directory_path() / "openrd-delivery-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
        path_ = pattern;
    }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

// The real engine, which fails when it is told to, and counts.
class TroubledEngine : public db::Engine {
  public:
    explicit TroubledEngine(std::unique_ptr<db::Engine> engine) : engine_(std::move(engine)) {}

    void read(const Work& work) override {
        if (reads_to_fail > 0 && reads_to_fail-- > 0) throw db::Error(db::Trouble::unavailable, "the disk cannot be read");
        engine_->read(work);
    }
    void write(Work work, Done done) override {
        if (writes_to_pass > 0) {
            --writes_to_pass;
        } else if (writes_to_fail > 0) {
            --writes_to_fail;
            return done(db::Outcome::unavailable, nullptr);
        }
        ++writes;
        engine_->write(std::move(work), std::move(done));
    }
    std::uint64_t generation(db::Topic topic) const override { return engine_->generation(topic); }
    void on_commit(db::Topic topic, std::function<void()> wake) override { engine_->on_commit(topic, std::move(wake)); }
    void idle() override { engine_->idle(); }
    std::size_t backlog() const override { return engine_->backlog(); }
    void close() override { engine_->close(); }

    std::atomic<int> reads_to_fail{0}, writes_to_pass{0}, writes_to_fail{0}, writes{0};

  private:
    std::unique_ptr<db::Engine> engine_;
};

// A gateway that does as it is told.
class ScriptedChannel : public Channel {
  public:
    explicit ScriptedChannel(std::string name, std::string calling_code = "", bool repeatable = false)
        : name_(std::move(name)), calling_code_(std::move(calling_code)), repeatable_(repeatable) {}

    std::string_view name() const override { return name_; }
    bool covers(const phone::MobileNumber& to) const override { return calling_code_.empty() || to.calling_code() == calling_code_; }
    bool repeatable() const override { return repeatable_; }
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override {
        std::function<SendResult(const OutgoingMessage&, std::stop_token)> act;
        {
            const std::lock_guard lock(mutex_);
            sent_.push_back(message.id);
            if (!script_.empty()) {
                act = std::move(script_.front());
                script_.pop_front();
            }
        }
        return act ? act(message, std::move(stop)) : SendResult{.outcome = Sent::accepted, .provider_ref = "ref", .provider_code = {}};
    }
    std::optional<SendResult> reconcile(std::string_view, const phone::MobileNumber&, std::int64_t) override { return known; }

    ScriptedChannel& then(Sent outcome, std::optional<std::int64_t> retry_after_ms = {}) {
        return then(
            [=](const OutgoingMessage&, std::stop_token) { return SendResult{.outcome = outcome, .provider_ref = {}, .provider_code = {}, .retry_after_ms = retry_after_ms}; });
    }
    ScriptedChannel& then(std::function<SendResult(const OutgoingMessage&, std::stop_token)> act) {
        script_.push_back(std::move(act));
        return *this;
    }
    std::vector<std::string> sent() const {
        const std::lock_guard lock(mutex_);
        return sent_;
    }
    std::size_t count() const { return sent().size(); }

    std::optional<SendResult> known;  // what reconcile says

  private:
    const std::string name_, calling_code_;
    const bool repeatable_;
    mutable std::mutex mutex_;
    std::deque<std::function<SendResult(const OutgoingMessage&, std::stop_token)>> script_;
    std::vector<std::string> sent_;
};

class DispatcherTest : public testing::Test {
  protected:
    DispatcherTest() : engine_(open(directory_.path())) {
        base::log::set_level(base::log::Level::off);
        clock_.set_ms(noon);
        clock_.freeze(true);
        clock_.set_ms(noon);
    }
    ~DispatcherTest() override {
        dispatcher_.reset();
        engine_.close();
        base::log::set_level(base::log::Level::info);
    }

    static std::unique_ptr<db::Engine> open(const std::string& path) {
        db::OpenOptions options;
        options.directory = path + "/data";
        options.create = true;
        options.durable = false;
        return db::open(options);
    }

    void dispatch_to(std::vector<Channel*> channels) {
        dispatcher_.emplace(engine_, ring_, clock_, std::move(channels));
        dispatcher_->start();
    }

    void queue(const std::string& id, std::string_view to = "65-81234567", std::int64_t lifetime_ms = 600'000) {
        const auto now_ms = clock_.now_ms();
        const store::Message message{.account_id = std::string(account),
                                     .message_id = id,
                                     .purpose = "bind",
                                     .verification_id = std::string(16, 'v'),
                                     .code_key_id = 1,
                                     .phone_sealed = ring_.seal(keys::Purpose::outbox, to, id),
                                     .not_before_ms = now_ms,
                                     .expires_at_ms = now_ms + lifetime_ms,
                                     .created_at_ms = now_ms};
        engine_.write_and_wait([&](db::Transaction& tx) { store::insert_message(tx, message); });
    }
    // As a worker does that then dies.
    std::vector<store::Message> take() {
        std::vector<store::Message> messages;
        const auto now_ms = clock_.now_ms();
        engine_.write_and_wait([&](db::Transaction& tx) { messages = store::claim_messages(tx, now_ms, now_ms + lease_ms, claimed_at_once); });
        return messages;
    }
    std::int64_t count(std::string_view state) {
        std::int64_t found = -1;
        engine_.read([&](db::Transaction& tx) { found = store::count_messages(tx, state); });
        engine_.idle();
        return found;
    }
    void at(std::int64_t now_ms) {
        clock_.set_ms(now_ms);
        dispatcher_->drained();
    }
    std::string code(std::string_view e164) const { return std::string(ring_.code(std::string(16, 'v'), account, "bind", e164, 1).reveal()); }

    Directory directory_;
    TroubledEngine engine_;
    keys::Ring ring_{base::Secret(std::string(32, 'k'))};
    base::Clock clock_;
    Inbox inbox_;
    InboxChannel inbox_channel_{inbox_};
    ScriptedChannel gateway_{"gateway"};
    std::optional<Dispatcher> dispatcher_;
};
using Dispatching = DispatcherTest;

TEST_F(Dispatching, AQueuedMessageArrivesWithTheCodeThatBindWillDerive) {
    queue("m-1");
    dispatch_to({&inbox_channel_});
    dispatcher_->drained();
    const auto messages = inbox_.find({});
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].id, "m-1");
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

TEST_F(Dispatching, TakesTwentyAtATimeAndWritesThemDownInOneWrite) {
    for (int i = 10; i < 67; ++i) queue("m-" + std::to_string(i));
    engine_.writes = 0;
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(gateway_.count(), 57u);
    EXPECT_EQ(count(store::message_accepted), 57);
    EXPECT_EQ(engine_.writes, 6) << "three batches, each taken once and settled once";
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
    ASSERT_EQ(take().size(), 1u);
    inbox_channel_.send({.id = "m-1", .to = *phone::MobileNumber::parse("65-81234567"), .code = base::Secret(code("+6581234567"))}, {});
    dispatch_to({&inbox_channel_});
    at(noon + lease_ms - 1);
    EXPECT_EQ(count(store::message_sending), 1) << "the lease is not over: the worker may be alive";
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(inbox_.size(), 1u);
}

TEST_F(Dispatching, AMessageWhoseWorkerDiedBeforeSendingIsInTheInboxOnceToo) {
    queue("m-1");
    ASSERT_EQ(take().size(), 1u);
    dispatch_to({&inbox_channel_});
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(inbox_.size(), 1u);
}

TEST_F(Dispatching, AChannelThatCannotRepeatLeavesItUnknownInstead) {
    queue("m-1");
    ASSERT_EQ(take().size(), 1u);
    dispatch_to({&gateway_});
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_unknown), 1);
    EXPECT_EQ(gateway_.count(), 0u);
}

TEST_F(Dispatching, WhatTheChannelKnowsOfItSettlesIt) {
    queue("m-1");
    ASSERT_EQ(take().size(), 1u);
    gateway_.known = SendResult{.outcome = Sent::accepted, .provider_ref = "found", .provider_code = {}};
    dispatch_to({&gateway_});
    at(noon + lease_ms);
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(gateway_.count(), 0u);
}

TEST_F(Dispatching, WhatTheChannelIsCertainWasNotSentIsSent) {
    queue("m-1");
    ASSERT_EQ(take().size(), 1u);
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

TEST_F(Dispatching, WhatWasNotSentIsTriedAgainAfterTwoEightAndThirtySeconds) {
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

TEST_F(Dispatching, IsNotTriedAgainWhenItsCodeWouldBeOver) {
    gateway_.then(Sent::not_sent).then(Sent::not_sent);
    queue("m-1", "65-81234567", useful_ms + 2'000);
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(gateway_.count(), 2u);
    EXPECT_EQ(count(store::message_expired), 1);
}

TEST_F(Dispatching, AThrottledOneWaitsAsLongAsTheChannelSays) {
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

TEST_F(Dispatching, AnUnknownOutcomeIsNeverRepeatedByTheMachine) {
    gateway_.then(Sent::unknown);
    queue("m-1");
    dispatch_to({&gateway_});
    at(noon);
    EXPECT_EQ(count(store::message_unknown), 1);
    at(noon + 300'000);
    EXPECT_EQ(gateway_.count(), 1u);
}

TEST_F(Dispatching, AnUnknownOutcomeIsAskedForOnce) {
    gateway_.then(Sent::unknown);
    gateway_.known = SendResult{.outcome = Sent::accepted, .provider_ref = "found", .provider_code = {}};
    queue("m-1");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_accepted), 1);
    EXPECT_EQ(gateway_.count(), 1u);
}

TEST_F(Dispatching, AnUnknownOutcomeOfARepeatableChannelIsTriedAgain) {
    ScriptedChannel webhook("webhook", "", true);
    webhook.then(Sent::unknown);
    queue("m-1");
    dispatch_to({&webhook});
    dispatcher_->drained();
    EXPECT_THAT(webhook.sent(), ElementsAre("m-1", "m-1"));
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(Dispatching, AChannelThatThrowsMayHaveSentIt) {
    gateway_.then([](const OutgoingMessage&, std::stop_token) -> SendResult { throw std::runtime_error("reset"); });
    queue("m-1");
    queue("m-2");
    dispatch_to({&gateway_});
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_unknown), 1);
    EXPECT_EQ(count(store::message_accepted), 1) << "and the next one goes its way";
}

TEST_F(Dispatching, ARejectedMessageIsNotTriedAgain) {
    gateway_.then(Sent::rejected);
    queue("m-1");
    dispatch_to({&gateway_, &inbox_channel_});
    at(noon);
    at(noon + 300'000);
    EXPECT_EQ(count(store::message_rejected), 1);
    EXPECT_EQ(gateway_.count(), 1u);
    EXPECT_EQ(inbox_.size(), 0u);
}

TEST_F(Dispatching, AChannelThatIsDownIsFollowedByTheNextThatReachesTheNumber) {
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

TEST_F(Dispatching, AMessageGoesToTheFirstChannelThatReachesItsNumber) {
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

// Only the channel that was told to send can say what became of it.
TEST_F(Dispatching, AMessageOfAChannelThatIsGoneIsUnknownNotSentByAnother) {
    ScriptedChannel second("second");
    gateway_.then(Sent::channel_down);
    second.then(Sent::throttled);
    queue("m-1");
    dispatch_to({&gateway_, &second});
    dispatcher_->drained();
    ASSERT_EQ(count(store::message_queued), 1);
    dispatcher_.reset();

    clock_.set_ms(noon + 10'000);
    const auto taken = take();
    ASSERT_EQ(taken.size(), 1u);
    EXPECT_EQ(taken[0].channel, "second");
    clock_.set_ms(noon + 10'000 + lease_ms);
    dispatch_to({&inbox_channel_});
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_unknown), 1);
    EXPECT_EQ(inbox_.size(), 0u);
}

TEST_F(Dispatching, AMessageThatCannotBeReadIsRefusedAndHoldsUpNobody) {
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

TEST_F(Dispatching, WhatIsGivenBackKeepsThatNobodyKnowsWhetherItWasSent) {
    std::promise<void> begun;
    gateway_.then([&](const OutgoingMessage&, std::stop_token stop) {
        begun.set_value();
        while (!stop.stop_requested()) std::this_thread::yield();
        return SendResult{.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}};
    });
    queue("m-2");
    ASSERT_EQ(take().size(), 1u);
    clock_.set_ms(noon + lease_ms);
    // Older than m-2 by its due time, so that it comes first and holds the other one up.
    clock_.set_ms(noon - 1);
    queue("m-1");
    clock_.set_ms(noon + lease_ms);
    dispatch_to({&gateway_});
    begun.get_future().wait();
    dispatcher_->stop();
    EXPECT_EQ(count(store::message_sending), 1);
    dispatcher_->start();
    dispatcher_->drained();
    EXPECT_EQ(count(store::message_unknown), 1);
    EXPECT_THAT(gateway_.sent(), ElementsAre("m-1"));
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
    dispatcher_.emplace(engine_, ring_, clock_, std::vector<Channel*>{&gateway_});
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
}  // namespace openrd::delivery
