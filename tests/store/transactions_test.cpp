// What every engine promises of a transaction (db/engine.hpp).
#include "store/engines.hpp"
#include "store/facts.hpp"
#include "store/rates.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace openrd::tests {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ON_EVERY_ENGINE(Transactions);

constexpr db::Sql add{"INSERT INTO facts (name, value) VALUES ($1, '')"};
constexpr db::Sql add_if_new{"INSERT INTO facts (name, value) VALUES ($1, '') ON CONFLICT DO NOTHING"};
constexpr db::Sql all{"SELECT name FROM facts ORDER BY name"};

std::vector<std::string> names(db::Transaction& tx) {
    std::vector<std::string> result;
    for (auto rows = tx.query(all); rows.next();) result.push_back(rows.text(0));
    return result;
}

TEST_P(Transactions, AWorkThatThrowsLeavesNothing) {
    write([](db::Transaction& tx) { tx.run(add, {"before"}); });
    EXPECT_THROW(write([](db::Transaction& tx) {
                     tx.run(add, {"never"});
                     throw std::domain_error("no");
                 }),
                 std::domain_error);
    write([](db::Transaction& tx) { tx.run(add, {"later"}); });
    EXPECT_THAT(read(names), ElementsAre("before", "later"));
}

TEST_P(Transactions, AnswersAreGivenOncePerWorkAndSayWhatBecameOfIt) {
    std::mutex mutex;
    std::condition_variable came;
    std::vector<std::pair<db::Outcome, bool>> answers;
    const auto done = [&](db::Outcome outcome, const std::exception_ptr& error) {
        const std::lock_guard lock(mutex);
        answers.emplace_back(outcome, error != nullptr);
        came.notify_one();
    };
    const auto wait_for = [&](std::size_t count) {
        std::unique_lock lock(mutex);
        return came.wait_for(lock, std::chrono::seconds(30), [&] { return answers.size() >= count; });
    };
    engine().write([](db::Transaction& tx) { tx.run(add, {"a"}); }, done);
    ASSERT_TRUE(wait_for(1));
    engine().write([](db::Transaction&) { throw std::domain_error("no"); }, done);
    ASSERT_TRUE(wait_for(2));
    EXPECT_EQ(answers[0], std::pair(db::Outcome::committed, false));
    EXPECT_EQ(answers[1], std::pair(db::Outcome::failed, true));
}

TEST_P(Transactions, WhatWasAnsweredIsThereForTheNextServer) {
    write([](db::Transaction& tx) { tx.run(add, {"stays"}); });
    reopen();
    EXPECT_THAT(read(names), ElementsAre("stays"));
}

TEST_P(Transactions, AConflictIsCalledOne) {
    write([](db::Transaction& tx) { tx.run(add, {"a"}); });
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { tx.run(add, {"a"}); }), db::Trouble::conflict);
    static constexpr db::Sql null{"INSERT INTO facts (name, value) VALUES ($1, NULL)"};
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { tx.run(null, {"b"}); }), db::Trouble::conflict);
    EXPECT_THAT(read(names), ElementsAre("a"));
}

TEST_P(Transactions, AfterAConflictThatWasRolledBackTheTransactionGoesOn) {
    write([](db::Transaction& tx) {
        tx.run(add, {"a"});
        tx.savepoint();
        tx.run(add, {"lost"});
        EXPECT_THROW(tx.run(add, {"a"}), db::Error);
        tx.rollback_to_savepoint();
        tx.run(add, {"b"});
        EXPECT_THAT(names(tx), ElementsAre("a", "b"));
    });
    EXPECT_THAT(read(names), ElementsAre("a", "b"));
}

TEST_P(Transactions, SavepointsNest) {
    write([](db::Transaction& tx) {
        tx.run(add, {"a"});
        {
            db::Savepoint outer(tx);
            tx.run(add, {"b"});
            {
                db::Savepoint inner(tx);
                tx.run(add, {"undone"});
                inner.undo();
            }
            {
                const db::Savepoint forgotten(tx);
                tx.run(add, {"forgotten"});
            }
            {
                db::Savepoint inner(tx);
                tx.run(add, {"c"});
                inner.keep();
            }
            outer.keep();
        }
        {
            db::Savepoint outer(tx);
            db::Savepoint inner(tx);
            tx.run(add, {"kept within what is undone"});
            inner.keep();
            outer.undo();
        }
        tx.run(add, {"d"});
    });
    EXPECT_THAT(read(names), ElementsAre("a", "b", "c", "d"));
}

TEST_P(Transactions, CountWhatAStatementWrote) {
    static constexpr db::Sql update{"UPDATE facts SET value = $2 WHERE name >= $1"}, returning{"UPDATE facts SET value = 'r' WHERE name >= $1 RETURNING name"},
        remove{"DELETE FROM facts WHERE name >= $1"},
        upsert{"INSERT INTO facts (name, value) VALUES ($1, 'u') ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE facts.value <> 'u'"};
    write([](db::Transaction& tx) {
        EXPECT_EQ(tx.run(add, {"a"}), 1);
        EXPECT_EQ(tx.run(add_if_new, {"a"}), 0);
        EXPECT_EQ(tx.run(add_if_new, {"b"}), 1);
        EXPECT_EQ(tx.run(add_if_new, {"c"}), 1);
        EXPECT_EQ(tx.run(update, {"b", "x"}), 2);
        EXPECT_EQ(tx.run(update, {"b", "x"}), 2) << "the same value again";
        EXPECT_EQ(tx.run(update, {"z", "x"}), 0);
        EXPECT_EQ(tx.run(returning, {"b"}), 2);
        EXPECT_EQ(tx.run(upsert, {"a"}), 1);
        EXPECT_EQ(tx.run(upsert, {"a"}), 0);
        EXPECT_EQ(tx.run(all), 0);
        EXPECT_EQ(tx.run(remove, {"a"}), 3);
        EXPECT_EQ(tx.run(remove, {"a"}), 0);
    });
}

TEST_P(Transactions, CountWhatTheyHaveWrittenWhateverBecameOfIt) {
    write([](db::Transaction& tx) {
        const auto before = tx.writes();
        names(tx);
        tx.run(add_if_new, {"a"});
        EXPECT_EQ(tx.writes(), before + 1);
        tx.run(add_if_new, {"a"});
        EXPECT_EQ(tx.writes(), before + 1);
        tx.savepoint();
        tx.run(add, {"b"});
        tx.run(add, {"c"});
        tx.rollback_to_savepoint();
        EXPECT_EQ(tx.writes(), before + 3);
    });
}

TEST_P(Transactions, GiveNoRowWhereThereIsNone) {
    read([](db::Transaction& tx) {
        auto rows = tx.query(all);
        EXPECT_FALSE(rows.next());
        EXPECT_FALSE(rows.next());
    });
    write([](db::Transaction& tx) {
        static constexpr db::Sql returning{"UPDATE facts SET value = '' RETURNING name"};
        EXPECT_FALSE(tx.query(returning).next());
        EXPECT_FALSE(tx.query(add_if_new, {"a"}).next()) << "a statement that gives no rows at all";
    });
    EXPECT_THAT(read(names), ElementsAre("a"));
}

TEST_P(Transactions, ReadHundredThousandRows) {
    constexpr std::int64_t many = 100'000;
    static constexpr db::Sql fill{
        "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < $1) INSERT INTO rates (bucket, window_ms, n, expires_at_ms) SELECT 'many', i, "
        "i, i FROM n"},
        every{"SELECT n, bucket FROM rates WHERE bucket = 'many' ORDER BY window_ms"};
    EXPECT_EQ(write([&](db::Transaction& tx) { return tx.run(fill, {many}); }), many);
    read([&](db::Transaction& tx) {
        std::int64_t last = 0;
        for (auto rows = tx.query(every); rows.next(); ++last) {
            ASSERT_EQ(rows.integer(0), last + 1);
            ASSERT_EQ(rows.text_view(1), "many");
        }
        EXPECT_EQ(last, many);
        // Left in the middle.
        auto rows = tx.query(every);
        ASSERT_TRUE(rows.next());
    });
    EXPECT_THAT(read(names), IsEmpty());
}

TEST_P(Transactions, HaveRowsOfSeveralStatementsOpenAtOnce) {
    write([](db::Transaction& tx) {
        for (const char* name : {"a", "b", "c"}) tx.run(add, {name});
        std::vector<std::string> pairs;
        for (auto outer = tx.query(all); outer.next();) {
            for (auto inner = tx.query(all); inner.next();) pairs.push_back(outer.text(0) + inner.text(0));  // the very same statement
            tx.run(add_if_new, {"written meanwhile"});
        }
        EXPECT_GE(pairs.size(), 9U);
        EXPECT_THAT(names(tx), ElementsAre("a", "b", "c", "written meanwhile"));
    });
}

TEST_P(Transactions, KeepWhatTheyWereGivenUntilTheRowsAreRead) {
    read([](db::Transaction& tx) {
        static constexpr db::Sql echo{"SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT)"};
        auto rows = [&] {
            const std::string gone(100, 'x');
            return tx.query(echo, {gone, std::int64_t{7}});
        }();
        ASSERT_TRUE(rows.next());
        EXPECT_EQ(rows.text(0), std::string(100, 'x'));
        EXPECT_EQ(rows.integer(1), 7);
    });
}

TEST_P(Transactions, ReadOnOneSnapshot) {
    write([](db::Transaction& tx) { tx.run(add, {"a"}); });
    read([&](db::Transaction& tx) {
        EXPECT_THAT(names(tx), ElementsAre("a"));
        std::thread([&] { write([](db::Transaction& other) { other.run(add, {"b"}); }); }).join();
        EXPECT_THAT(names(tx), ElementsAre("a"));
    });
    EXPECT_THAT(read(names), ElementsAre("a", "b"));
}

TEST_P(Transactions, SeeWhatTheyHaveWrittenThemselves) {
    write([](db::Transaction& tx) {
        tx.run(add, {"a"});
        EXPECT_THAT(names(tx), ElementsAre("a"));
    });
}

TEST_P(Transactions, ThatReadDoNotWrite) {
    read([](db::Transaction& tx) { EXPECT_FALSE(tx.writable()); });
    EXPECT_THROW(read([](db::Transaction& tx) { tx.run(add, {"never"}); }), db::Error);
    EXPECT_THAT(read(names), IsEmpty());
    write([](db::Transaction& tx) { EXPECT_TRUE(tx.writable()); });
}

TEST_P(Transactions, AStatementThatIsWrongIsTheProgrammersFault) {
    static constexpr db::Sql nonsense{"SELEC 1"}, no_table{"SELECT 1 FROM nowhere"};
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { tx.run(nonsense); }), db::Trouble::programming);
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { tx.run(no_table); }), db::Trouble::programming);
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { tx.run(add, {"a", "one too many"}); }), db::Trouble::programming);
    EXPECT_THROW(read([](db::Transaction& tx) {
                     auto rows = tx.query(all);
                     return rows.text(1);
                 }),
                 db::Error);
    write([](db::Transaction& tx) { tx.run(add, {"goes on"}); });
    EXPECT_THAT(read(names), ElementsAre("goes on"));
}

TEST_P(Transactions, LoseNoUpdateWhoeverWritesAtTheSameTime) {
    constexpr int threads = 8, rounds = 25;
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t)
        writers.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) engine().write_and_wait([](db::Transaction& tx) { store::count_in_window(tx, "all", 0, 1, 1'000'000); });
        });
    for (auto& writer : writers) writer.join();
    EXPECT_EQ(read([](db::Transaction& tx) { return store::counted_in_window(tx, "all", 0); }), threads * rounds);
}

// Each takes two rows in another order: an engine that locks rows meets deadlocks here, and must repeat what it broke off.
TEST_P(Transactions, AreRepeatedWhenTwoStandInEachOthersWay) {
    constexpr int threads = 4, rounds = 15;
    std::vector<std::thread> writers;
    for (int t = 0; t < threads; ++t)
        writers.emplace_back([&, t] {
            for (int i = 0; i < rounds; ++i) {
                engine().write_and_wait([&](db::Transaction& tx) {
                    store::count_in_window(tx, t % 2 ? "one" : "other", 0, 1, 1'000'000);
                    std::this_thread::yield();
                    store::count_in_window(tx, t % 2 ? "other" : "one", 0, 1, 1'000'000);
                });
            }
        });
    for (auto& writer : writers) writer.join();
    for (const char* bucket : {"one", "other"}) EXPECT_EQ(read([&](db::Transaction& tx) { return store::counted_in_window(tx, bucket, 0); }), threads * rounds);
}

TEST_P(Transactions, AreToldOfByTopicAfterTheCommit) {
    std::atomic<int> woken{0};
    engine().on_commit(db::Topic::outbox, [&] { ++woken; });
    const auto audit = engine().generation(db::Topic::audit), outbox = engine().generation(db::Topic::outbox);
    write([](db::Transaction& tx) {
        tx.run(add, {"a"});
        tx.changed(db::Topic::outbox);
    });
    for (int i = 0; i < 15'000 && woken == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    EXPECT_GE(woken, 1);
    EXPECT_GT(engine().generation(db::Topic::outbox), outbox);
    EXPECT_EQ(engine().generation(db::Topic::audit), audit);
    EXPECT_THROW(write([](db::Transaction& tx) {
                     tx.changed(db::Topic::audit);
                     throw std::domain_error("no");
                 }),
                 std::domain_error);
    EXPECT_EQ(engine().generation(db::Topic::audit), audit);
}

}  // namespace
}  // namespace openrd::tests
