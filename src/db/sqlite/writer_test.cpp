#include "db/sqlite/testing.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <thread>

namespace openrd::db::sqlite {
namespace {

using testing::add_note;
using testing::caught;
using testing::count_notes;
using ::testing::ElementsAre;
using testing::has_note;
using ::testing::HasSubstr;

// Holds the writer in a work until it is opened.
class Gate {
  public:
    void pass() {
        std::unique_lock lock(mutex_);
        reached_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_until_reached() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return reached_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool reached_ = false;
    bool open_ = false;
};

class Writing : public ::testing::Test {
  protected:
    testing::Directory directory_;
    testing::Answers answers_;
    std::unique_ptr<Engine> engine_ = testing::open_small(directory_);
};

TEST_F(Writing, IsThereWhenItIsAnswered) {
    engine_->write_and_wait([](Transaction& tx) {
        EXPECT_TRUE(tx.writable());
        add_note(tx, "a");
    });
    EXPECT_TRUE(has_note(*engine_, "a"));
}

TEST_F(Writing, AManyAtOnceShareACommit) {
    Gate gate;
    engine_->write([&](Transaction&) { gate.pass(); }, answers_.next());
    gate.wait_until_reached();
    const auto before = engine_->commits();
    for (int i = 0; i < 200; ++i) engine_->write([i](Transaction& tx) { add_note(tx, std::to_string(i)); }, answers_.next());
    EXPECT_EQ(engine_->backlog(), 200U);
    gate.open();
    answers_.wait_for(201);
    EXPECT_EQ(answers_.count(Outcome::committed), 201U);
    EXPECT_EQ(engine_->commits() - before, 1U) << "those that came meanwhile join the batch";
    EXPECT_EQ(count_notes(*engine_), 200);
}

TEST_F(Writing, ACommitHoldsAtMost256Works) {
    Gate gate;
    engine_->write([&](Transaction&) { gate.pass(); }, answers_.next());
    gate.wait_until_reached();
    for (int i = 0; i < 600; ++i) engine_->write([i](Transaction& tx) { add_note(tx, std::to_string(i)); }, answers_.next());
    gate.open();
    answers_.wait_for(601);
    EXPECT_EQ(engine_->commits(), 3U);
}

TEST_F(Writing, ParallelWritersNeedFarFewerCommits) {
    constexpr int threads = 16;
    constexpr int each = 50;
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t) {
        writers.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) engine_->write([t, i](Transaction& tx) { add_note(tx, std::to_string(t) + "." + std::to_string(i)); }, answers_.next());
        });
    }
    for (auto& writer : writers) writer.join();
    answers_.wait_for(threads * each);
    EXPECT_EQ(count_notes(*engine_), threads * each);
    EXPECT_LT(engine_->commits(), threads * each / 2U);
}

TEST_F(Writing, IsAnsweredInOrder) {
    std::vector<int> order;
    std::mutex mutex;
    for (int i = 0; i < 100; ++i)
        engine_->write([](Transaction&) {},
                       [&, i](Outcome, std::exception_ptr) {
                           const std::lock_guard lock(mutex);
                           order.push_back(i);
                       });
    engine_->write_and_wait([](Transaction&) {});
    const std::lock_guard lock(mutex);
    ASSERT_EQ(order.size(), 100U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(Writing, AWorkThatThrowsLeavesNothingAndTheOthersStand) {
    Gate gate;
    engine_->write([&](Transaction&) { gate.pass(); }, answers_.next());
    gate.wait_until_reached();
    engine_->write([](Transaction& tx) { add_note(tx, "before"); }, answers_.next());
    engine_->write(
        [](Transaction& tx) {
            add_note(tx, "thrown");
            tx.savepoint();
            add_note(tx, "thrown deeper");
            tx.savepoint();
            tx.changed(Topic::outbox);
            throw std::runtime_error("no");
        },
        answers_.next());
    engine_->write([](Transaction& tx) { add_note(tx, "after"); }, answers_.next());
    gate.open();
    answers_.wait_for(4);
    EXPECT_THAT(answers_.outcomes(), ElementsAre(Outcome::committed, Outcome::committed, Outcome::failed, Outcome::committed));
    EXPECT_EQ(answers_.error(2), "no");
    EXPECT_EQ(count_notes(*engine_), 2);
    EXPECT_EQ(engine_->generation(Topic::outbox), 0U);
    EXPECT_EQ(engine_->commits(), 1U);
}

TEST_F(Writing, ThrowsToTheWaitingCallerWhatTheWorkThrew) {
    EXPECT_THROW(engine_->write_and_wait([](Transaction&) { throw std::out_of_range("x"); }), std::out_of_range);
    engine_->write_and_wait([](Transaction& tx) { add_note(tx, "a"); });
    EXPECT_EQ(caught([&] { engine_->write_and_wait([](Transaction& tx) { add_note(tx, "a"); }); }).trouble, Trouble::conflict);
}

TEST_F(Writing, ADoneThatThrowsHarmsNobody) {
    engine_->write([](Transaction& tx) { add_note(tx, "a"); }, [](Outcome, std::exception_ptr) { throw std::runtime_error("careless"); });
    engine_->write([](Transaction& tx) { add_note(tx, "b"); }, nullptr);
    engine_->write_and_wait([](Transaction& tx) { add_note(tx, "c"); });
    EXPECT_EQ(count_notes(*engine_), 3);
}

TEST_F(Writing, KeepsWhatWasKeptWhenTheRestIsUndone) {
    // As a refused call does: the attempt is counted, the room's own writes are not.
    engine_->write_and_wait([](Transaction& tx) {
        Savepoint room(tx);
        add_note(tx, "undone");
        room.undo();
        {
            Savepoint kept(tx);
            add_note(tx, "kept");
            kept.keep();
        }
        {
            const Savepoint again(tx);
            add_note(tx, "undone too");
        }
        Savepoint outer(tx);
        add_note(tx, "outer");
        {
            Savepoint inner(tx);
            add_note(tx, "inner");
            inner.undo();
        }
        outer.keep();
        EXPECT_EQ(tx.writes(), 5) << "what was undone counts";
    });
    EXPECT_EQ(count_notes(*engine_), 2);
    EXPECT_TRUE(has_note(*engine_, "kept"));
    EXPECT_TRUE(has_note(*engine_, "outer"));
}

TEST_F(Writing, CountsTheRowsOfItsOwnWorkOnly) {
    engine_->write_and_wait([](Transaction& tx) { add_note(tx, "a"); });
    engine_->write_and_wait([](Transaction& tx) { EXPECT_EQ(tx.writes(), 0); });
}

TEST_F(Writing, AWorkThatLeavesASavepointOpenIsRefused) {
    EXPECT_EQ(caught([&] {
                  engine_->write_and_wait([](Transaction& tx) {
                      add_note(tx, "a");
                      tx.savepoint();
                  });
              }).trouble,
              Trouble::programming);
    EXPECT_EQ(caught([&] { engine_->write_and_wait([](Transaction& tx) { tx.release_savepoint(); }); }).trouble, Trouble::programming);
    EXPECT_EQ(caught([&] { engine_->write_and_wait([](Transaction& tx) { tx.rollback_to_savepoint(); }); }).trouble, Trouble::programming);
    engine_->write_and_wait([](Transaction& tx) { add_note(tx, "b"); });
    EXPECT_EQ(count_notes(*engine_), 1);
}

TEST_F(Writing, GenerationsGrowWithTheTopicsOfTheCommit) {
    std::atomic<int> woken{0};
    engine_->on_commit(Topic::outbox, [&] { ++woken; });
    std::atomic<std::uint64_t> seen{0};
    engine_->write(
        [](Transaction& tx) {
            add_note(tx, "a");
            tx.changed(Topic::outbox);
            tx.changed(Topic::audit);
        },
        [&](Outcome, std::exception_ptr) { seen = engine_->generation(Topic::outbox); });
    ASSERT_TRUE(testing::eventually([&] { return woken == 1; }));
    EXPECT_EQ(seen, 1U) << "before the answer";
    EXPECT_EQ(engine_->generation(Topic::audit), 1U);
    EXPECT_EQ(engine_->generation(Topic::identities), 0U);
    engine_->write_and_wait([](Transaction& tx) { tx.changed(Topic::identities); });
    EXPECT_EQ(engine_->generation(Topic::identities), 1U);
    EXPECT_EQ(engine_->generation(Topic::outbox), 1U);
    EXPECT_EQ(woken, 1);
}

TEST_F(Writing, DoesNotTakeItsOwnCommitsForThoseOfOthers) {
    for (int i = 0; i < 200; ++i) {
        engine_->write_and_wait([&](Transaction& tx) { add_note(tx, std::to_string(i)); });
        EXPECT_TRUE(has_note(*engine_, std::to_string(i)));
        if (i % 20 == 0) engine_->idle();
    }
    EXPECT_EQ(engine_->generation(Topic::identities), 0U);
}

TEST_F(Writing, RefusesAtOnceWhenTheQueueIsFull) {
    testing::Directory directory;
    OpenOptions options = testing::in(directory);
    options.write_queue = 3;
    const auto engine = testing::open_small(options);
    Gate gate;
    engine->write([&](Transaction&) { gate.pass(); }, answers_.next());
    gate.wait_until_reached();
    for (int i = 0; i < 3; ++i) engine->write([i](Transaction& tx) { add_note(tx, std::to_string(i)); }, answers_.next());
    std::thread::id answered_on;
    auto outcome = Outcome::committed;
    engine->write([](Transaction& tx) { add_note(tx, "too much"); },
                  [&](Outcome given, std::exception_ptr) {
                      outcome = given;
                      answered_on = std::this_thread::get_id();
                  });
    EXPECT_EQ(outcome, Outcome::overloaded);
    EXPECT_EQ(answered_on, std::this_thread::get_id());
    EXPECT_EQ(caught([&] { engine->write_and_wait([](Transaction&) {}); }).trouble, Trouble::unavailable);
    EXPECT_EQ(engine->backlog(), 3U);
    gate.open();
    answers_.wait_for(4);
    EXPECT_EQ(count_notes(*engine), 3);
}

TEST_F(Writing, CloseFinishesTheQueue) {
    Gate gate;
    engine_->write([&](Transaction&) { gate.pass(); }, answers_.next());
    gate.wait_until_reached();
    for (int i = 0; i < 500; ++i) engine_->write([i](Transaction& tx) { add_note(tx, std::to_string(i)); }, answers_.next());
    std::thread opener([&] { gate.open(); });
    engine_->close();
    opener.join();
    EXPECT_EQ(answers_.count(Outcome::committed), 501U);
    engine_.reset();
    EXPECT_FALSE(std::filesystem::exists(directory_.file() + "-wal")) << "all of it is in the file";
    EXPECT_EQ(count_notes(*testing::open_small(directory_)), 500);
}

TEST_F(Writing, AfterCloseIsRefused) {
    engine_->close();
    engine_->write([](Transaction&) {}, answers_.next());
    EXPECT_THAT(answers_.outcomes(), ElementsAre(Outcome::unavailable));
    EXPECT_EQ(caught([&] { engine_->read([](Transaction&) {}); }).trouble, Trouble::unavailable);
    engine_->close();
}

TEST_F(Writing, MayBeAskedForByADone) {
    std::atomic<bool> second{false};
    engine_->write([](Transaction& tx) { add_note(tx, "a"); },
                   [&](Outcome, std::exception_ptr) {
                       EXPECT_TRUE(has_note(*engine_, "a")) << "and it may read";
                       engine_->write([](Transaction& tx) { add_note(tx, "b"); }, [&](Outcome outcome, std::exception_ptr) { second = outcome == Outcome::committed; });
                   });
    EXPECT_TRUE(testing::eventually([&] { return second.load(); }));
}

TEST_F(Writing, NowAndThenSyncsOnceForEachCommit) {
    engine_->write_and_wait([](Transaction& tx) { add_note(tx, "the first also syncs the new log and the directory"); });
    const auto before = testing::real_syncs();
    for (int i = 0; i < 5; ++i) {
        engine_->write_and_wait([&](Transaction& tx) { add_note(tx, std::to_string(i)); });
        std::this_thread::sleep_for(std::chrono::milliseconds(70));  // longer than the housekeeper rests
    }
    EXPECT_EQ(testing::real_syncs() - before, 5U);
}

TEST_F(Writing, WaitsFiveSecondsForAnotherProcessAndThenIsUnavailable) {
    const auto other = testing::open_small(directory_);
    Gate gate;
    other->write([&](Transaction& tx) { add_note(tx, "held"), gate.pass(); }, answers_.next());
    gate.wait_until_reached();
    engine_->write([](Transaction& tx) { add_note(tx, "a"); }, nullptr);
    EXPECT_EQ(caught([&] { engine_->write_and_wait([](Transaction& tx) { add_note(tx, "b"); }); }).trouble, Trouble::unavailable);
    EXPECT_EQ(count_notes(*engine_), 0) << "reads go on";
    gate.open();
    answers_.wait_for(1);
    engine_->write_and_wait([](Transaction& tx) { add_note(tx, "c"); });
    EXPECT_EQ(count_notes(*engine_), 2);
}

TEST(Log, BeginsAnewThoughThreadsReadAllTheTime) {
    // Above the limit the writer finishes the checkpoint itself, and readers let go of the log.
    const testing::Directory directory;
    const auto engine = testing::open_small(testing::in(directory), {.copy_from = 1'000'000, .finish_above = 200});
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i)
        readers.emplace_back([&] {
            while (!stop) {
                count_notes(*engine);
                std::this_thread::sleep_for(std::chrono::microseconds(100));
            }
        });
    static constexpr Sql sql{"INSERT INTO notes (name, amount, body) VALUES ('n', 0, randomblob(40000)) ON CONFLICT (name) DO UPDATE SET body = excluded.body"};
    for (int i = 0; i < 200; ++i) engine->write_and_wait([](Transaction& tx) { EXPECT_EQ(tx.run(sql), 1); });
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_LT(std::filesystem::file_size(directory.file() + "-wal"), 800U * 4120U) << "of 2,000 frames";
}

}  // namespace
}  // namespace openrd::db::sqlite
