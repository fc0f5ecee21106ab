// A connection that is cut, stalls or is refused at any point of a write: nothing is half done, nothing is done twice, and what was
// answered is true.
#include "db/open.hpp"
#include "store/facts.hpp"
#include "store/nonces.hpp"
#include "store/rates.hpp"
#include "support/cut_proxy.hpp"
#include "support/postgres.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>

namespace openrd::tests {
namespace {

using ::testing::HasSubstr;

struct Answered {
    db::Outcome outcome = db::Outcome::failed;
    std::optional<db::Trouble> trouble;
    std::string why;
};

bool says(const ProxiedMessage& message, From from, std::string_view words) { return message.from == from && message.bytes.find(words) != std::string_view::npos; }

class CutWrites : public ::testing::Test {
  protected:
    static constexpr std::int64_t deadline_ms = 3000;

    void SetUp() override {
        if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
        database_ = std::make_unique<PostgresDatabase>();
        proxy_ = std::make_unique<CutProxy>(database_->cluster().port());
        // Not through the proxy: what is really there.
        truth_ = db::open({.url = database_->url(), .create = true, .connections = 1});
        engine_ = open_engine();
    }
    void TearDown() override {
        if (proxy_) proxy_->forward();
        if (engine_) engine_->close();
        if (truth_) truth_->close();
    }

    std::unique_ptr<db::Engine> open_engine() {
        return db::open({.url = database_->cluster().url(database_->name(), proxy_->port()), .connections = 1, .deadline_ms = deadline_ms});
    }
    void with_new_connections() {
        engine_->close();
        engine_ = open_engine();
    }

    enum class Ask : std::uint8_t { by_nonce, nobody };

    // Takes the nonce `name`, does two things, one of them without waiting for it.
    Answered write(const std::string& name, Ask ask = Ask::by_nonce) {
        const store::NonceOfWrite nonce{.account_id = "1", .hash = name, .request_id = "request of " + name, .until_ms = 1000};
        std::promise<Answered> promise;
        auto answer = promise.get_future();
        db::Terms terms;
        if (ask == Ask::by_nonce) terms.was_committed = [nonce](db::Transaction& tx) { return store::settle_nonce(tx, nonce); };
        engine_->write(
            [nonce, name](db::Transaction& tx) {
                static constexpr db::Sql posted{"INSERT INTO facts (name, value) VALUES ($1, 'posted')"};
                if (!store::take_nonce(tx, nonce)) throw std::domain_error("the nonce was used");
                store::count_in_window(tx, name, 0, 1, 1000);
                tx.post(posted, {name});
            },
            [&promise](db::Outcome outcome, const std::exception_ptr& error) {
                Answered answered{.outcome = outcome};
                try {
                    if (error) std::rethrow_exception(error);
                } catch (const db::Error& e) { answered.trouble = e.trouble(), answered.why = e.what(); } catch (const std::exception& e) {
                    answered.why = e.what();
                }
                promise.set_value(answered);
            },
            terms);
        return answer.get();
    }

    // How often it was done; 0 or 1, and both parts or none.
    std::int64_t done(const std::string& name) {
        std::int64_t counted = 0;
        bool posted = false;
        truth_->read([&](db::Transaction& tx) {
            counted = store::counted_in_window(tx, name, 0);
            posted = store::find_fact(tx, name).has_value();
        });
        EXPECT_EQ(posted, counted > 0) << name << " is half done";
        return counted;
    }
    // The answer is true, and stays so: the transaction whose answer was lost cannot come later.
    void expect_true(const Answered& answered, const std::string& name) {
        const bool committed = answered.outcome == db::Outcome::committed;
        if (!committed) { EXPECT_EQ(answered.trouble, db::Trouble::unavailable) << name << ": " << answered.why; }
        EXPECT_EQ(done(name), committed ? 1 : 0) << name << ": " << answered.why;
    }

    std::unique_ptr<PostgresDatabase> database_;
    std::unique_ptr<CutProxy> proxy_;
    std::unique_ptr<db::Engine> truth_, engine_;
};

// Every message of both sides once: cut before it, inside it, and behind the last one.
TEST_F(CutWrites, AtEveryMessageAreAnsweredTruly) {
    write("warm");
    std::size_t messages = 0;
    proxy_->decide([&](const ProxiedMessage&) { return ++messages, pass; });
    ASSERT_EQ(write("counted").outcome, db::Outcome::committed);
    proxy_->forward();
    const auto whole = messages;
    ASSERT_GT(whole, 10U);
    const auto before = proxy_->cuts();
    for (std::size_t at = 0; at <= whole; ++at) {
        for (const bool inside : {false, true}) {
            const auto name = "cut " + std::to_string(at) + (inside ? " inside" : " before");
            proxy_->decide([seen = std::size_t{0}, at, inside, whole](const ProxiedMessage& message) mutable -> Fate {
                const auto here = seen++;
                if (here == at) return inside ? cut_inside(message.bytes.size() / 2) : cut_before;
                return here + 1 == whole && at == whole ? cut_after : pass;
            });
            expect_true(write(name), name);
        }
    }
    EXPECT_GT(proxy_->cuts(), before + whole);
}

TEST_F(CutWrites, BehindAnyNumberOfBytesAreAnsweredTruly) {
    write("warm");
    for (const From from : {From::client, From::server}) {
        const auto before = proxy_->bytes(from);
        write("measured " + std::to_string(static_cast<int>(from)));
        const auto whole = proxy_->bytes(from) - before;
        for (std::uint64_t bytes = 1; bytes < whole; bytes += whole / 24) {
            const auto name = "bytes " + std::to_string(static_cast<int>(from)) + " " + std::to_string(bytes);
            proxy_->cut_after_bytes(from, bytes);
            expect_true(write(name), name);
        }
    }
}

TEST_F(CutWrites, BehindTheCommitWereDone) {
    proxy_->decide([done = false](const ProxiedMessage& message) mutable -> Fate {
        if (done || !says(message, From::server, "COMMIT")) return pass;
        done = true;
        return cut_before;
    });
    EXPECT_EQ(write("a").outcome, db::Outcome::committed) << "its nonce says so";
    EXPECT_EQ(done("a"), 1);
    EXPECT_EQ(proxy_->cuts(), 1U);
}

TEST_F(CutWrites, BeforeTheCommitWereNotDoneAndNeverWillBe) {
    // On its first way the word stands in the message; later there is only the name of the prepared statement.
    proxy_->decide([done = false](const ProxiedMessage& message) mutable -> Fate {
        if (done || !says(message, From::client, "COMMIT")) return pass;
        done = true;
        return cut_before;
    });
    const auto answered = write("a");
    expect_true(answered, "a");
    EXPECT_EQ(proxy_->cuts(), 1U);
    if (answered.outcome == db::Outcome::committed) return;  // tried again: as good
    EXPECT_EQ(write("a").why, "the nonce was used") << "a client that repeats it is refused";
    EXPECT_EQ(done("a"), 0);
}

TEST_F(CutWrites, ThatNobodyCanAskAboutAreNotCalledDone) {
    proxy_->decide([done = false](const ProxiedMessage& message) mutable -> Fate {
        if (done || !says(message, From::server, "COMMIT")) return pass;
        done = true;
        return cut_before;
    });
    const auto answered = write("a", Ask::nobody);
    EXPECT_EQ(answered.outcome, db::Outcome::unavailable);
    EXPECT_EQ(answered.trouble, db::Trouble::unavailable);
    EXPECT_LE(done("a"), 1);
}

// The line comes back long after the deadline: what is then known must fit what was answered, or the repeated request is refused.
TEST_F(CutWrites, WhoseFateIsNotKnownInTimeAreNeverDoneTwice) {
    for (const char* side : {"client", "server"}) {
        with_new_connections();
        const std::string name = std::string("stalled on the side of the ") + side;
        const auto from = *side == 'c' ? From::client : From::server;
        proxy_->decide([&, from, gone = false](const ProxiedMessage& message) mutable -> Fate {
            if (gone || !says(message, from, "COMMIT")) return pass;
            gone = true;
            proxy_->refuse(true);
            return cut_before;
        });
        const auto answered = write(name);
        EXPECT_NE(answered.outcome, db::Outcome::committed);
        EXPECT_EQ(answered.trouble, db::Trouble::unavailable) << answered.why;
        proxy_->refuse(false);
        proxy_->forward();
        for (int i = 0; i < 600; ++i) {
            const auto again = write(name);
            if (again.outcome == db::Outcome::committed || again.why == "the nonce was used") break;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        EXPECT_EQ(done(name), 1) << "done at the first time or at the second";
    }
}

TEST_F(CutWrites, StandStillNoLongerThanTheirDeadline) {
    proxy_->stall(true);
    const auto answered = write("a");
    EXPECT_NE(answered.outcome, db::Outcome::committed);
    EXPECT_EQ(answered.trouble, db::Trouble::unavailable);
    proxy_->stall(false);
    Answered later;
    for (int i = 0; i < 600 && later.outcome != db::Outcome::committed; ++i) {
        later = write("b" + std::to_string(i));
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    EXPECT_EQ(later.outcome, db::Outcome::committed) << later.why;
}

TEST_F(CutWrites, ThatComeAllAtOnceOpenAFewConnectionsAtATime) {
    std::mutex mutex;
    std::set<std::size_t> opening;
    std::size_t most = 0;
    const auto before = proxy_->connections();
    proxy_->decide([&](const ProxiedMessage& m) {
        const std::lock_guard lock(mutex);
        if (m.from == From::client && m.type == 0) {
            opening.insert(m.connection);
            most = std::max(most, opening.size());
        }
        if (m.from == From::server && m.type == 'Z') opening.erase(m.connection);
        if (opening.contains(m.connection)) std::this_thread::sleep_for(std::chrono::milliseconds(2));  // a database that has much to do
        return pass;
    });
    const auto engine = db::open({.url = database_->cluster().url(database_->name(), proxy_->port()), .connections = 24, .deadline_ms = 60'000});
    std::atomic<int> committed = 0, ended = 0;
    for (int i = 0; i < 96; ++i)
        engine->write([i](db::Transaction& tx) { store::count_in_window(tx, "w" + std::to_string(i), 0, 1, 1000); },
                      [&](db::Outcome outcome, const std::exception_ptr&) {
                          committed += outcome == db::Outcome::committed ? 1 : 0;
                          ++ended;
                      });
    for (int i = 0; i < 6'000 && ended < 96; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(committed, 96);
    engine->close();
    proxy_->forward();
    EXPECT_LE(most, 4u);
    EXPECT_GT(proxy_->connections() - before, 4u) << "more were needed";
}

TEST_F(CutWrites, AndReadsAreRefusedWhileTheServerIsAwayAndComeBackByThemselves) {
    ASSERT_EQ(write("before").outcome, db::Outcome::committed);
    proxy_->refuse(true);
    proxy_->cut_all();
    EXPECT_EQ(write("meanwhile").trouble, db::Trouble::unavailable);
    try {
        engine_->read([](db::Transaction& tx) { store::find_fact(tx, "before"); });
        ADD_FAILURE() << "read from nowhere";
    } catch (const db::Error& error) {
        EXPECT_EQ(error.trouble(), db::Trouble::unavailable);
        EXPECT_THAT(error.what(), HasSubstr("cannot be reached"));
    }
    proxy_->refuse(false);
    bool back = false;
    for (int i = 0; i < 600 && !back; ++i) {
        try {
            engine_->read([&](db::Transaction& tx) { back = store::find_fact(tx, "before").has_value(); });
        } catch (const db::Error&) { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }
    }
    EXPECT_TRUE(back);
    EXPECT_EQ(write("after").outcome, db::Outcome::committed);
    EXPECT_EQ(done("meanwhile"), 0);
}

TEST_F(CutWrites, GoOnWhenTheServerWasKilledAndStartedAgain) {
    PostgresCluster cluster({.fsync = true});
    const PostgresDatabase database(cluster);
    const auto engine = db::open({.url = database.url(), .create = true, .connections = 2, .deadline_ms = deadline_ms});
    engine->write_and_wait([](db::Transaction& tx) { store::put_fact(tx, "answered", "1"); });
    cluster.crash();
    EXPECT_THROW(engine->write_and_wait([](db::Transaction& tx) { store::put_fact(tx, "never", "1"); }), db::Error);
    cluster.start();
    std::optional<std::string> found;
    for (int i = 0; i < 600 && !found; ++i) {
        try {
            engine->write_and_wait([&](db::Transaction& tx) {
                found = store::find_fact(tx, "answered");
                store::put_fact(tx, "after", "1");
            });
        } catch (const db::Error&) { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }
    }
    EXPECT_EQ(found, "1");
    engine->close();
}

}  // namespace
}  // namespace openrd::tests
