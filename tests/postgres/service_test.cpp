// A server whose database is away: every request is refused with 503 and nothing is done; it comes back without a restart.
#include "support/cut_proxy.hpp"
#include "support/postgres.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace openrd::tests {
namespace {

class ServiceOnPostgres : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
        database_ = std::make_unique<PostgresDatabase>();
        proxy_ = std::make_unique<CutProxy>(database_->cluster().port());
        auto settings = Sandbox::open_settings();
        settings.request_deadline_ms = 3000;
        sandbox_ = std::make_unique<Sandbox>(SharedPlace{.url = database_->cluster().url(database_->name(), proxy_->port()), .key_file = {}, .connections = 2, .deadline_ms = 3000},
                                             settings);
    }
    void TearDown() override {
        if (proxy_) proxy_->forward();
        sandbox_.reset();
    }

    static void expect_unavailable(const Answer& answer) {
        EXPECT_EQ(answer.status, 503) << answer;
        EXPECT_EQ(answer.code(), "ServiceUnavailable") << answer;
    }
    void expect_to_come_back() {
        Answer answer;
        for (int i = 0; i < 600 && answer.status != 200; ++i) {
            answer = sandbox_->send_code();
            if (answer.status != 200) std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        EXPECT_EQ(answer.status, 200) << answer;
        EXPECT_EQ(sandbox_->call("GetResourceDirectory").status, 200);
    }
    std::string rows(const std::string& table) { return database_->cluster().ask_one(database_->name(), "SELECT count(*) FROM " + table); }

    std::unique_ptr<PostgresDatabase> database_;
    std::unique_ptr<CutProxy> proxy_;
    std::unique_ptr<Sandbox> sandbox_;
};

TEST_F(ServiceOnPostgres, RefusesWhileTheDatabaseIsAwayAndComesBack) {
    ASSERT_EQ(sandbox_->call("GetResourceDirectory").status, 200);
    proxy_->refuse(true);
    proxy_->cut_all();
    expect_unavailable(sandbox_->send_code());
    expect_unavailable(sandbox_->call("GetResourceDirectory"));
    EXPECT_EQ(rows("verifications"), "0");
    EXPECT_EQ(rows("outbox"), "0");
    proxy_->refuse(false);
    expect_to_come_back();
}

TEST_F(ServiceOnPostgres, RefusesWhatTakesTooLong) {
    ASSERT_EQ(sandbox_->call("GetResourceDirectory").status, 200);
    proxy_->stall(true);
    expect_unavailable(sandbox_->call("GetResourceDirectory"));
    expect_unavailable(sandbox_->send_code());
    proxy_->stall(false);
    expect_to_come_back();
}

TEST_F(ServiceOnPostgres, RefusesWritesWhileTheDiskIsFull) {
    database_->cluster().pretend_full_disk(database_->name(), true);
    expect_unavailable(sandbox_->send_code());
    EXPECT_EQ(sandbox_->call("GetResourceDirectory").status, 200) << "what is read needs no room";
    EXPECT_EQ(rows("verifications"), "0");
    database_->cluster().pretend_full_disk(database_->name(), false);
    expect_to_come_back();
}

TEST_F(ServiceOnPostgres, RefusesWhileTheDatabaseTakesNoWrites) {
    auto& cluster = database_->cluster();
    cluster.ask("postgres", "ALTER DATABASE " + database_->name() + " SET default_transaction_read_only = on");
    cluster.ask("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database_->name() + "'");
    expect_unavailable(sandbox_->send_code());
    cluster.ask("postgres", "ALTER DATABASE " + database_->name() + " RESET default_transaction_read_only");
    expect_to_come_back();
}

// The client is told nothing false, whatever becomes of the line: a code that was answered is there, and one that was not may be sent again.
TEST_F(ServiceOnPostgres, AnswersTrulyWhenTheLineIsCutAtTheCommit) {
    for (const From side : {From::server, From::client}) {
        proxy_->decide([side, done = false](const ProxiedMessage& message) mutable -> Fate {
            if (done || message.from != side || message.bytes.find("COMMIT") == std::string_view::npos) return pass;
            done = true;
            return cut_before;
        });
        const auto answer = sandbox_->send_code();
        if (answer.status != 200) expect_unavailable(answer);
        EXPECT_EQ(rows("outbox WHERE account_id = '" + blue_id + "'") != "0", answer.status == 200 || side == From::client) << answer;
        proxy_->forward();
    }
    expect_to_come_back();
}

}  // namespace
}  // namespace openrd::tests
