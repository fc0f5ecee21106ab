// A database that cannot be used is refused at the start with one clear line; one that breaks later is refused as long as it is broken.
#include "db/open.hpp"
#include "store/facts.hpp"
#include "store/rates.hpp"
#include "support/postgres.hpp"
#include "support/server_process.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

namespace openrd::tests {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class OpeningPostgres : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
    }

    // The words of the Error that opening throws.
    static std::string refusal(const std::string& url, bool create = true) {
        try {
            db::open({.url = url, .create = create, .connections = 1, .deadline_ms = 3000})->close();
        } catch (const db::Error& error) {
            EXPECT_EQ(error.trouble(), db::Trouble::unavailable);
            EXPECT_THAT(error.what(), Not(HasSubstr("\n")));
            return error.what();
        }
        ADD_FAILURE() << "it was opened";
        return {};
    }
    static std::string password_of(const std::string& url) {
        const auto from = url.find(':', url.find("://") + 3) + 1;
        return url.substr(from, url.find('@') - from);
    }
};

TEST_F(OpeningPostgres, SaysWhereItCannotBeReachedAndKeepsThePassword) {
    const auto url = PostgresCluster::shared().url("postgres", free_port());
    EXPECT_THAT(refusal(url), AllOf(HasSubstr("cannot be reached"), HasSubstr("127.0.0.1"), Not(HasSubstr(password_of(url)))));
}

TEST_F(OpeningPostgres, SaysThatThePasswordIsWrongAndNotWhatItWas) {
    const PostgresDatabase database;
    auto url = database.url();
    url.replace(url.find(password_of(url)), password_of(url).size(), "wrongpassword");
    EXPECT_THAT(refusal(url), AllOf(HasSubstr("password"), Not(HasSubstr("wrongpassword"))));
}

TEST_F(OpeningPostgres, SaysThatThereIsNoSuchDatabase) { EXPECT_THAT(refusal(PostgresCluster::shared().url("nowhere")), HasSubstr("nowhere")); }

TEST_F(OpeningPostgres, RefusesAnotherEncoding) {
    auto& cluster = PostgresCluster::shared();
    cluster.create_database("latin", "template0", "ENCODING 'LATIN1' LOCALE 'C'");
    EXPECT_THAT(refusal(cluster.url("latin")), AllOf(HasSubstr("LATIN1"), HasSubstr("UTF8"), HasSubstr("CREATE DATABASE")));
    EXPECT_EQ(cluster.ask_one("latin", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0") << "nothing was made in it";
    cluster.drop_database("latin");
}

TEST_F(OpeningPostgres, RefusesTheOrderOfALanguage) {
    auto& cluster = PostgresCluster::shared();
    // The provider's locale decides; LC_COLLATE is then only a name.
    cluster.create_database("in_english", "template0", "ENCODING 'UTF8' LOCALE 'C' LOCALE_PROVIDER icu ICU_LOCALE 'en'");
    EXPECT_THAT(refusal(cluster.url("in_english")), AllOf(HasSubstr("collation"), HasSubstr("CREATE DATABASE")));
    cluster.drop_database("in_english");
}

TEST_F(OpeningPostgres, RefusesADatabaseThatTakesNoWrites) {
    const PostgresDatabase database;
    database.cluster().ask("postgres", "ALTER DATABASE " + database.name() + " SET default_transaction_read_only = on");
    EXPECT_THAT(refusal(database.url()), HasSubstr("read-only"));
}

// `local` and `remote_write` answer before a standby has it on disk: a failover would lose what was answered.
TEST_F(OpeningPostgres, WaitsForTheDisksWhateverTheDatabaseSays) {
    static constexpr db::Sql sql{"SELECT current_setting('synchronous_commit')"};
    const PostgresDatabase database;
    for (const auto& [said, used] : {std::pair{"off", "on"}, {"local", "on"}, {"remote_write", "on"}, {"on", "on"}, {"remote_apply", "remote_apply"}}) {
        database.cluster().ask("postgres", "ALTER DATABASE " + database.name() + " SET synchronous_commit = " + said);
        const auto engine = db::open({.url = database.url(), .create = true, .connections = 1});
        engine->read([&](db::Transaction& tx) {
            auto rows = tx.query(sql);
            ASSERT_TRUE(rows.next());
            EXPECT_EQ(rows.text(0), used) << said;
        });
        engine->close();
    }
}

TEST_F(OpeningPostgres, MakesNoSchemaUnasked) {
    const PostgresDatabase database;
    EXPECT_THAT(refusal(database.url(), false), HasSubstr("no schema"));
    EXPECT_EQ(database.cluster().ask_one(database.name(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
}

TEST_F(OpeningPostgres, TellsTheStateOfTheSchemaAndChangesNothing) {
    const PostgresDatabase database;
    const auto before = db::migration_state("", database.url());
    EXPECT_EQ(before.applied, 0);
    EXPECT_GT(before.known, 0);
    EXPECT_EQ(database.cluster().ask_one(database.name(), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    db::open({.url = database.url(), .create = true})->close();
    EXPECT_EQ(db::migration_state("", database.url()).applied, before.known);
    EXPECT_EQ(db::migrate("", database.url()), 0);
}

TEST_F(OpeningPostgres, LeavesNothingOfAMigrationThatFails) {
    const PostgresDatabase database;
    EXPECT_THROW(db::open({.url = database.url(), .create = true, .first_content = [](db::Transaction&) { throw std::domain_error("no"); }}), std::domain_error);
    EXPECT_EQ(db::migration_state("", database.url()).applied, 0);
    db::open({.url = database.url(), .create = true})->close();
    EXPECT_GT(db::migration_state("", database.url()).applied, 0);
}

// Processes, as servers are.
TEST_F(OpeningPostgres, TenAtOnceMigrateOnce) {
    const PostgresDatabase database;
    std::vector<pid_t> servers;
    for (int i = 0; i < 10; ++i) {
        const pid_t pid = fork();
        if (pid == 0) {
            int code = 1;
            try {
                const auto engine = db::open({.url = database.url(), .create = true, .connections = 1, .first_content = [](db::Transaction& tx) {
                                                  static constexpr db::Sql once{"INSERT INTO facts (name, value) VALUES ('first content', '')"};
                                                  tx.run(once);
                                              }});
                engine->write_and_wait([](db::Transaction& tx) { store::count_in_window(tx, "servers", 0, 1, 100); });
                engine->close();
                code = 0;
            } catch (const std::exception& error) { fprintf(stderr, "%s\n", error.what()); }
            _exit(code);
        }
        servers.push_back(pid);
    }
    for (const pid_t server : servers) {
        int status = 0;
        waitpid(server, &status, 0);
        EXPECT_EQ(status, 0);
    }
    auto& cluster = database.cluster();
    EXPECT_EQ(cluster.ask_one(database.name(), "SELECT n FROM rates WHERE bucket = 'servers'"), "10");
    EXPECT_EQ(cluster.ask_one(database.name(), "SELECT count(*) FROM schema_migrations"), std::to_string(db::migration_state("", database.url()).known));
    EXPECT_EQ(cluster.ask_one(database.name(), "SELECT count(*) FROM facts"), "1");
}

class BrokenPostgres : public OpeningPostgres {
  protected:
    static std::optional<db::Trouble> trouble_of_write(db::Engine& engine) {
        try {
            engine.write_and_wait([](db::Transaction& tx) { store::put_fact(tx, "a", "b"); });
        } catch (const db::Error& error) { return error.trouble(); }
        return {};
    }
    static bool comes_back(db::Engine& engine) {
        for (int i = 0; i < 600; ++i) {
            if (!trouble_of_write(engine)) return true;
            usleep(50'000);
        }
        return false;
    }
};

TEST_F(BrokenPostgres, FullDiskIsUnavailableUntilThereIsRoom) {
    const PostgresDatabase database;
    const auto engine = db::open({.url = database.url(), .create = true, .connections = 2, .deadline_ms = 3000});
    database.cluster().pretend_full_disk(database.name(), true);
    EXPECT_EQ(trouble_of_write(*engine), db::Trouble::unavailable);
    engine->read([](db::Transaction& tx) { EXPECT_FALSE(store::find_fact(tx, "a")); });
    database.cluster().pretend_full_disk(database.name(), false);
    EXPECT_TRUE(comes_back(*engine));
    engine->close();
}

TEST_F(BrokenPostgres, ReadOnlyIsUnavailableUntilItIsNot) {
    const PostgresDatabase database;
    const auto engine = db::open({.url = database.url(), .create = true, .connections = 2, .deadline_ms = 3000});
    auto& cluster = database.cluster();
    cluster.ask("postgres", "ALTER DATABASE " + database.name() + " SET default_transaction_read_only = on");
    cluster.ask("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database.name() + "'");
    EXPECT_EQ(trouble_of_write(*engine), db::Trouble::unavailable);
    cluster.ask("postgres", "ALTER DATABASE " + database.name() + " RESET default_transaction_read_only");
    EXPECT_TRUE(comes_back(*engine));
    engine->close();
}

TEST_F(BrokenPostgres, SessionsThatAreEndedAreMadeAnewWithoutAnError) {
    const PostgresDatabase database;
    const auto engine = db::open({.url = database.url(), .create = true, .connections = 2, .deadline_ms = 3000});
    EXPECT_EQ(trouble_of_write(*engine), std::nullopt);
    database.cluster().ask("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + database.name() + "'");
    EXPECT_EQ(trouble_of_write(*engine), std::nullopt);
    engine->close();
}

TEST_F(BrokenPostgres, ARowThatSomebodyElseHoldsIsWaitedForOnlySoLong) {
    const PostgresDatabase database;
    const auto engine = db::open({.url = database.url(), .create = true, .connections = 2, .deadline_ms = 2000});
    ASSERT_EQ(trouble_of_write(*engine), std::nullopt);
    const auto other = db::open({.url = database.url(), .connections = 1});
    other->write_and_wait([&](db::Transaction& tx) {
        store::put_fact(tx, "a", "held");
        EXPECT_EQ(trouble_of_write(*engine), db::Trouble::unavailable);
    });
    EXPECT_EQ(trouble_of_write(*engine), std::nullopt);
    other->close();
    engine->close();
}

}  // namespace
}  // namespace openrd::tests
