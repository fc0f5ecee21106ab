#include "audit/sealer.hpp"

#include "audit/testing.hpp"
#include "store/everything.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

namespace openrd::audit {
namespace {

using testing::eventually;
using testing::Log;
using testing::origin;

class Reports {
  public:
    std::function<void(std::string_view)> listener() {
        return [this](std::string_view text) {
            const std::lock_guard lock(mutex_);
            texts_.emplace_back(text);
        };
    }
    std::vector<std::string> texts() const {
        const std::lock_guard lock(mutex_);
        return texts_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<std::string> texts_;
};

void empty(Log& log) {
    log.engine->write_and_wait([](db::Transaction& tx) { store::delete_everything(tx); });
}

TEST(Sealer, SealsWhatComes) {
    Log log;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 20, .report = {}});
    sealer.start();
    for (const int size : {3, 4, 10}) {
        log.append(size - static_cast<int>(sealer.sealed()));
        EXPECT_TRUE(eventually([&] { return sealer.sealed() == size; }));
    }
    sealer.stop();
    EXPECT_EQ(log.checkpoints().size(), 3U);
    EXPECT_EQ(log.checkpoints().back().root, bytes_of(log.root()));
}

TEST(Sealer, SealsWhatAKilledServerHasLeft) {
    Log log;
    log.append(5);
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 20, .report = {}});
    sealer.start();
    EXPECT_TRUE(eventually([&] { return sealer.sealed() == 5; }));
}

TEST(Sealer, SealsWhatIsThereBeforeItStops) {
    Log log;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 3'600'000, .report = {}});
    sealer.start();
    log.append(7);
    sealer.stop();
    ASSERT_EQ(log.checkpoints().size(), 1U);
    EXPECT_EQ(log.checkpoints()[0].tree_size, 7);
}

TEST(Sealer, MakesOneCheckpointOfWhatComesInAnInterval) {
    Log log;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 3'600'000, .report = {}});
    sealer.start();
    for (int i = 0; i < 50; ++i) log.append(1);
    sealer.stop();
    EXPECT_EQ(log.checkpoints().size(), 1U);
}

TEST(Sealer, SealsWhileTheClockIsFrozen) {
    Log log;
    log.clock.set_ms(1'000'000);
    log.clock.freeze(true);
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 10, .report = {}});
    sealer.start();
    for (int size = 1; size <= 3; ++size) {
        log.append(1);
        EXPECT_TRUE(eventually([&] { return sealer.sealed() == size; }));
    }
    sealer.stop();
    for (const auto& checkpoint : log.checkpoints()) EXPECT_EQ(checkpoint.created_at_ms, 1'000'000);
}

TEST(Sealer, CanBeStartedAgain) {
    Log log;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 10, .report = {}});
    for (int size = 1; size <= 3; ++size) {
        sealer.start();
        sealer.start();
        log.append(1);
        sealer.stop();
        sealer.stop();
        EXPECT_EQ(sealer.sealed(), size);
    }
}

TEST(Sealer, SaysOnceThatAnEntryIsMissingAndSealsNoMore) {
    Log log;
    log.append(5);
    static constexpr db::Sql remove{"DELETE FROM audit_events WHERE arrival = 3"};
    log.run(remove);
    Reports reports;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 5, .report = reports.listener()});
    sealer.start();
    EXPECT_TRUE(eventually([&] { return sealer.halted(); }));
    for (int i = 0; i < 20; ++i) log.append(1);
    sealer.stop();
    EXPECT_TRUE(log.checkpoints().empty());
    EXPECT_THAT(reports.texts(), ::testing::ElementsAre("the audit log is no longer sealed: entry 3 of the audit log is missing: entry 4 follows entry 2"));
}

TEST(Sealer, SaysItOnStderrWhenNobodyElseListens) {
    Log log;
    log.append(2);
    static constexpr db::Sql remove{"DELETE FROM audit_events WHERE arrival = 1"};
    log.run(remove);
    ::testing::internal::CaptureStderr();
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 5, .report = {}});
    sealer.start();
    sealer.stop();
    EXPECT_EQ(::testing::internal::GetCapturedStderr(),
              "{\"level\":\"error\",\"message\":\"the audit log is no longer sealed: entry 1 of the audit log is missing: entry 2 follows entry 0\"}\n");
}

TEST(Sealer, BeginsAnewInTheSandboxWhenTheLogWasEmptied) {
    Log log;
    Reports reports;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 5, .may_begin_anew = true, .report = reports.listener()});
    sealer.start();
    for (int round = 0; round < 5; ++round) {
        log.append(10);
        EXPECT_TRUE(eventually([&] { return sealer.sealed() == 10; }));
        empty(log);
        sealer.reset();
        EXPECT_TRUE(eventually([&] { return sealer.sealed() == 0; }));
        EXPECT_TRUE(log.checkpoints().empty());
    }
    log.append(12);
    sealer.stop();
    ASSERT_EQ(log.checkpoints().size(), 1U);
    EXPECT_EQ(log.checkpoints()[0].root, bytes_of(log.root()));
    EXPECT_TRUE(reports.texts().empty()) << testing::joined(reports.texts());
}

// However the reset falls into a pass: what is stored afterwards is of the new log.
TEST(Sealer, NeverMixesTheOldLogWithTheNewOne) {
    Log log;
    Reports reports;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 1, .may_begin_anew = true, .report = reports.listener()});
    sealer.start();
    for (int round = 0; round < 100; ++round) {
        log.append(5);
        empty(log);
        log.append_body("of round " + std::to_string(round));
        sealer.reset();
    }
    sealer.stop();
    ASSERT_EQ(log.checkpoints().size(), 1U);
    EXPECT_EQ(log.checkpoints()[0].root, bytes_of(log.root()));
    EXPECT_TRUE(reports.texts().empty()) << testing::joined(reports.texts());
}

TEST(Sealer, OutsideTheSandboxStopsWhenTheCheckpointsAreGone) {
    Log log;
    Reports reports;
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 5, .report = reports.listener()});
    sealer.start();
    log.append(4);
    EXPECT_TRUE(eventually([&] { return sealer.sealed() == 4; }));
    empty(log);
    log.append(9);
    EXPECT_TRUE(eventually([&] { return sealer.halted(); }));
    EXPECT_TRUE(log.checkpoints().empty());
    EXPECT_THAT(reports.texts(),
                ::testing::ElementsAre("the audit log is no longer sealed: the checkpoint of 4 entries of the audit log that was signed is gone from the database"));
    sealer.reset();
    EXPECT_TRUE(eventually([&] { return sealer.sealed() == 9; })) << "told that it is a new log, it goes on";
    EXPECT_FALSE(sealer.halted());
}

// Overloaded, full disk: said once, tried again, and all is sealed in the end.
class Refusing final : public db::Engine {
  public:
    explicit Refusing(db::Engine& engine) : engine_(engine) {}
    void read(const Work& work) override { engine_.read(work); }
    using db::Engine::write;
    void write(db::Engine::Work work, db::Engine::Done done, db::Terms terms) override {
        if (refusals_left > 0 && refusals_left-- > 0) return done(db::Outcome::overloaded, nullptr);
        engine_.write(std::move(work), std::move(done), std::move(terms));
    }
    std::uint64_t generation(db::Topic topic) const override { return engine_.generation(topic); }
    void on_commit(db::Topic topic, std::function<void()> wake) override { engine_.on_commit(topic, std::move(wake)); }
    void idle() override { engine_.idle(); }
    std::size_t backlog() const override { return engine_.backlog(); }
    void close() override { engine_.close(); }
    std::atomic<int> refusals_left{0};

  private:
    db::Engine& engine_;
};

TEST(Sealer, TriesAgainWhenTheDatabaseRefuses) {
    Log log;
    Refusing engine(*log.engine);
    engine.refusals_left = 5;
    Reports reports;
    Sealer sealer(engine, log.ring, log.clock, {.origin = origin, .interval_ms = 5, .report = reports.listener()});
    sealer.start();
    log.append(4);
    EXPECT_TRUE(eventually([&] { return sealer.sealed() == 4; }));
    sealer.stop();
    EXPECT_EQ(engine.refusals_left, 0);
    EXPECT_FALSE(sealer.halted());
    EXPECT_THAT(reports.texts(), ::testing::ElementsAre("the audit log could not be sealed, it will be tried again: too many writes are waiting"));
}

TEST(Sealer, LeavesTheEngineNothingThatIsGone) {
    Log log;
    { Sealer never_started(*log.engine, log.ring, log.clock, {.origin = origin, .report = {}}); }
    {
        Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 5, .report = {}});
        sealer.start();
    }
    log.append(3);
    EXPECT_TRUE(log.checkpoints().empty());
}

TEST(Sealer, RefusesAnOriginThatIsNoName) {
    Log log;
    EXPECT_THROW(Sealer(*log.engine, log.ring, log.clock, {.origin = "two words", .report = {}}), std::invalid_argument);
}

// What another process writes wakes nobody here: it is found by looking.
TEST(Sealer, SealsWhatAnotherProcessWrites) {
    Log log;
    const auto other = db::open({.directory = (log.directory / "data").string(), .durable = false, .first_content = {}});
    Sealer sealer(*log.engine, log.ring, log.clock, {.origin = origin, .interval_ms = 20, .report = {}});
    sealer.start();
    for (int size = 1; size <= 3; ++size) {
        other->write_and_wait([&](db::Transaction& tx) {
            store::AuditEvent event{.account_id = "1000000000000001", .event_id = std::to_string(size), .body = Log::body(size)};
            store::append_audit_event(tx, event, {});
        });
        EXPECT_TRUE(eventually([&] { return sealer.sealed() == size; }));
    }
    sealer.stop();
    other->close();
}

}  // namespace
}  // namespace openrd::audit
