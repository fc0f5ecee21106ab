#include "db/sqlite/testing.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <thread>

namespace openrd::db::sqlite {
namespace {

using testing::add_note;
using testing::count_notes;
using testing::has_note;

class Reading : public ::testing::Test {
  protected:
    void add(std::string_view name) {
        engine_->write_and_wait([&](Transaction& tx) { add_note(tx, name); });
    }

    testing::Directory directory_;
    std::unique_ptr<Engine> engine_ = testing::open_small(directory_);
};

std::int64_t count_in(Transaction& tx) {
    static constexpr Sql sql{"SELECT count(*) FROM notes"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.integer(0) : -1;
}

TEST_F(Reading, SeesOneSnapshotThoughOthersCommit) {
    engine_->read([&](Transaction& tx) {
        EXPECT_EQ(count_in(tx), 0);
        add("a");
        EXPECT_EQ(count_in(tx), 0);
        engine_->read([](Transaction& nested) { EXPECT_EQ(count_in(nested), 0) << "a nested read is part of the outer one"; });
        engine_->idle();
        EXPECT_EQ(count_in(tx), 0) << "and its snapshot is not let go of";
    });
    EXPECT_EQ(count_notes(*engine_), 1);
}

TEST_F(Reading, ThrowsWhatTheWorkThrowsAndGoesOn) {
    EXPECT_THROW(engine_->read([](Transaction& tx) {
        count_in(tx);
        throw std::out_of_range("x");
    }),
                 std::out_of_range);
    static constexpr Sql wrong{"SELECT nothing FROM nowhere"};
    EXPECT_EQ(testing::caught([&] { engine_->read([](Transaction& tx) { auto rows = tx.query(wrong); }); }).trouble, Trouble::programming);
    add("a");
    EXPECT_EQ(count_notes(*engine_), 1);
}

TEST_F(Reading, MayUseSavepoints) {
    engine_->read([](Transaction& tx) {
        Savepoint part(tx);
        EXPECT_EQ(count_in(tx), 0);
        part.keep();
        const Savepoint other(tx);
        EXPECT_EQ(tx.writes(), 0);
    });
}

TEST_F(Reading, SeesWhatWasAnsweredOnAnyThread) {
    constexpr int rounds = 300;
    std::atomic<int> committed{0};
    std::atomic<bool> wrong{false};
    std::atomic<bool> stop{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 3; ++i)
        readers.emplace_back([&] {
            while (!stop) {
                const int least = committed;
                if (count_notes(*engine_) < least) wrong = true;
            }
        });
    for (int i = 0; i < rounds; ++i) {
        const std::string name = std::to_string(i);
        add(name);
        ++committed;
        if (!has_note(*engine_, name)) wrong = true;
    }
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_FALSE(wrong);
}

TEST_F(Reading, NeverSeesHalfOfACommit) {
    static constexpr Sql add_both{"INSERT INTO notes (name, amount) VALUES ($1, $2), ($3, -$2)"};
    static constexpr Sql sums{"SELECT sum(amount), count(*) FROM notes"};
    std::atomic<bool> stop{false};
    std::atomic<bool> wrong{false};
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i)
        readers.emplace_back([&] {
            while (!stop) {
                engine_->read([&](Transaction& tx) {
                    std::int64_t first = 0;
                    if (auto rows = tx.query(sums); rows.next()) {
                        first = rows.integer(1);
                        if (rows.integer(0) != 0 || first % 2 != 0) wrong = true;
                    }
                    if (count_in(tx) != first) wrong = true;
                });
            }
        });
    for (int i = 1; i <= 200; ++i) {
        engine_->write_and_wait([&](Transaction& tx) { tx.run(add_both, {"plus" + std::to_string(i), i, "minus" + std::to_string(i)}); });
        engine_->write([&](Transaction& tx) { add_note(tx, "undone", 1), throw std::runtime_error("undone"); }, nullptr);
    }
    stop = true;
    for (auto& reader : readers) reader.join();
    EXPECT_FALSE(wrong);
}

TEST_F(Reading, AfterANewGenerationSeesWhatMadeIt) {
    // What a copy in memory relies on: take the generation, then read, and the copy is at least that new.
    std::atomic<bool> stop{false};
    std::atomic<bool> wrong{false};
    std::thread reader([&] {
        while (!stop) {
            const auto generation = engine_->generation(Topic::identities);
            if (static_cast<std::uint64_t>(count_notes(*engine_)) < generation) wrong = true;
        }
    });
    for (int i = 0; i < 300; ++i)
        engine_->write_and_wait([&](Transaction& tx) {
            add_note(tx, std::to_string(i));
            tx.changed(Topic::identities);
        });
    stop = true;
    reader.join();
    EXPECT_FALSE(wrong);
    EXPECT_LE(engine_->generation(Topic::identities), 300U);
}

TEST_F(Reading, ThreadsMayEndBeforeTheEngine) {
    add("a");
    for (int i = 0; i < 20; ++i) std::thread([&] { EXPECT_EQ(count_notes(*engine_), 1); }).join();
    add("b");
    EXPECT_EQ(count_notes(*engine_), 2);
}

TEST_F(Reading, EnginesMayEndBeforeTheThreads) {
    std::barrier step(2);
    Engine* current = engine_.get();
    std::thread reader([&] {
        for (int i = 0; i < 3; ++i) {
            step.arrive_and_wait();
            EXPECT_EQ(count_notes(*current), i);
            step.arrive_and_wait();
        }
    });
    for (int i = 0; i < 3; ++i) {
        step.arrive_and_wait();
        step.arrive_and_wait();
        add(std::to_string(i));
        engine_.reset();
        engine_ = testing::open_small(directory_);
        current = engine_.get();
    }
    reader.join();
}

TEST_F(Reading, OneThreadMayReadFromTwoEngines) {
    testing::Directory other_directory;
    const auto other = testing::open_small(other_directory);
    add("a");
    engine_->read([&](Transaction& tx) {
        EXPECT_EQ(count_in(tx), 1);
        other->read([](Transaction& others) { EXPECT_EQ(count_in(others), 0); });
        EXPECT_EQ(count_in(tx), 1);
    });
}

TEST(Log, BeginsAnewThoughAThreadRestsOnASnapshot) {
    const testing::Directory directory;
    const auto engine = testing::open_small(testing::in(directory), {.copy_from = 1, .finish_above = 1'000'000});
    const auto add = [&] { engine->write_and_wait([&](Transaction& tx) { add_note(tx, "at commit " + std::to_string(engine->commits())); }); };
    std::barrier step(2);
    add();
    std::thread forgetful([&] {
        EXPECT_EQ(count_notes(*engine), 1);
        step.arrive_and_wait();  // without idle()
        step.arrive_and_wait();
    });
    step.arrive_and_wait();
    // The log's file does not grow when it begins anew, and it does only when all of it was copied and nobody reads from it.
    const auto log_bytes = [&] { return std::filesystem::file_size(directory.file() + "-wal"); };
    EXPECT_TRUE(testing::eventually([&] {
        const auto before = log_bytes();
        add();
        return log_bytes() == before;
    }));
    step.arrive_and_wait();
    forgetful.join();
}

TEST_F(Reading, SeesWhatAnotherEngineOnTheFileWrites) {
    std::atomic<int> woken{0};
    engine_->on_commit(Topic::outbox, [&] { ++woken; });
    EXPECT_EQ(count_notes(*engine_), 0);
    const auto other = testing::open_small(directory_);
    other->write_and_wait([](Transaction& tx) { add_note(tx, "a"); });
    EXPECT_TRUE(testing::eventually([&] { return has_note(*engine_, "a"); }));
    EXPECT_TRUE(testing::eventually([&] { return count_notes(*engine_) == 1 && engine_->generation(Topic::identities) == 1; }));
    EXPECT_EQ(engine_->generation(Topic::outbox), 1U);
    EXPECT_EQ(engine_->generation(Topic::audit), 1U);
    EXPECT_TRUE(testing::eventually([&] { return woken == 1; }));
}

TEST_F(Reading, AWriterNoticesWhatOthersWrote) {
    const auto other = testing::open_small(directory_);
    other->write_and_wait([](Transaction& tx) { add_note(tx, "a"); });
    // Its own commit must not hide the other's.
    engine_->write_and_wait([](Transaction& tx) {
        EXPECT_EQ(count_in(tx), 1);
        add_note(tx, "b");
    });
    EXPECT_EQ(engine_->generation(Topic::identities), 1U);
    EXPECT_EQ(count_notes(*engine_), 2);
}

TEST(AnotherProcess, IsSeen) {
    const testing::Directory directory;
    testing::open_small(directory).reset();
    int go[2];
    ASSERT_EQ(pipe(go), 0);
    // The child is made while this process has one thread.
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        char byte = 0;
        int result = 1;
        if (read(go[0], &byte, 1) == 1) {
            try {
                const auto engine = testing::open_small(directory);
                engine->write_and_wait([](Transaction& tx) { add_note(tx, "from the child"); });
                result = 0;
            } catch (const std::exception&) { result = 2; }
        }
        _exit(result);
    }
    const auto engine = testing::open_small(directory);
    EXPECT_EQ(count_notes(*engine), 0);
    ASSERT_EQ(write(go[1], "x", 1), 1);
    EXPECT_TRUE(testing::eventually([&] { return has_note(*engine, "from the child"); }));
    EXPECT_TRUE(testing::eventually([&] { return count_notes(*engine) == 1 && engine->generation(Topic::identities) == 1; }));
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    close(go[0]);
    close(go[1]);
}

TEST(AnotherProcess, ThatIsKilledKeepsWhatItAnswered) {
    const testing::Directory directory;
    testing::open_small(directory).reset();
    int answered[2];
    ASSERT_EQ(pipe(answered), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto engine = testing::open_small(directory);
        for (std::int32_t i = 0; i < 100'000; ++i) {
            try {
                engine->write_and_wait([&](Transaction& tx) { add_note(tx, std::to_string(i)); });
            } catch (const std::exception&) { _exit(1); }
            if (write(answered[1], &i, sizeof i) != static_cast<ssize_t>(sizeof i)) _exit(2);
        }
        _exit(3);
    }
    close(answered[1]);
    std::int32_t last = -1;
    for (int i = 0; i < 50; ++i) ASSERT_EQ(read(answered[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    while (read(answered[0], &last, sizeof last) > 0) {}
    close(answered[0]);
    const auto engine = testing::open_small(directory);
    for (std::int32_t i = 0; i <= last; ++i) EXPECT_TRUE(has_note(*engine, std::to_string(i))) << i;
    EXPECT_LE(count_notes(*engine), last + 2);
}

}  // namespace
}  // namespace openrd::db::sqlite
