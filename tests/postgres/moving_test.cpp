// Databases that move: backed up and restored by PostgreSQL's own programs, copied between a file and a server, distributed over a cluster.
#include "db/open.hpp"
#include "openrd/account.hpp"
#include "openrd/backup.hpp"
#include "openrd/copy.hpp"
#include "openrd/data.hpp"
#include "openrd/migrate.hpp"
#include "store/audit_events.hpp"
#include "store/everything.hpp"
#include "store/nonces.hpp"
#include "support/postgres.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace openrd::tests {
namespace {

using ::testing::HasSubstr;

class MovingOnPostgres : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
        ::setenv("PATH", (std::string("/usr/lib/postgresql/15/bin:") + std::getenv("PATH")).c_str(), 1);
        database_.emplace();
        base::Settings settings;
        settings.audit.origin = "test.example/audit";
        open_sandbox_data({.directory = directory_}, false, settings, base::Clock()).engine->close();
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }
    static std::string make_root() {
        std::string path = ::testing::TempDir() + "moving_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    static std::string quietly(const std::function<void()>& work) {
        static bool quiet = false;
        if (quiet) return work(), std::string();  // stdout can be held once only
        quiet = true;
        ::testing::internal::CaptureStdout();
        try {
            work();
        } catch (...) {
            quiet = false;
            ::testing::internal::GetCapturedStdout();
            throw;
        }
        quiet = false;
        return ::testing::internal::GetCapturedStdout();
    }
    static std::string refused(const std::function<void()>& work) {
        try {
            quietly(work);
            ADD_FAILURE() << "it was done";
        } catch (const std::exception& error) { return error.what(); }
        return {};
    }
    DataPlace at(const PostgresDatabase& database) const { return {.directory = directory_, .url = database.url()}; }
    std::string count(const PostgresDatabase& database, const std::string& table) const { return database.cluster().ask_one(database.name(), "SELECT count(*) FROM " + table); }
    void copy_there() const {
        quietly([&] { copy({.from = directory_, .to = database_->url()}); });
    }
    void add_account(const DataPlace& place) const {
        AccountOptions options;
        options.place = place;
        options.name = "one more", options.email = "one.more@example.com";
        quietly([&] { create_account(options); });
    }

    std::string root_ = make_root(), directory_ = root_ + "/data", back_ = root_ + "/back", file_ = root_ + "/backup";
    std::optional<PostgresDatabase> database_;
};

TEST_F(MovingOnPostgres, ACopyGoesThereAndBackAndIsTheSame) {
    EXPECT_THAT(quietly([&] { copy({.from = directory_, .to = database_->url()}); }), HasSubstr("copied"));
    EXPECT_THAT(quietly([&] { copy({.from = directory_, .to = database_->url()}); }), HasSubstr("the same already"));
    add_account(at(*database_));  // an entry of the log that has no number yet
    std::filesystem::create_directories(back_);
    std::filesystem::copy_file(directory_ + "/openrd.key", back_ + "/openrd.key");
    EXPECT_THAT(quietly([&] { copy({.from = database_->url(), .to = back_}); }), HasSubstr("copied"));
    EXPECT_THAT(quietly([&] { copy({.from = database_->url(), .to = back_}); }), HasSubstr("the same already"));
    EXPECT_THAT(refused([&] { copy({.from = directory_, .to = database_->url()}); }), HasSubstr("holds something else"));
    open_existing_data({.directory = back_}).engine->close();
}

TEST_F(MovingOnPostgres, ACopyTakesTheNoncesOfTheFileAlong) {
    auto data = open_existing_data({.directory = directory_});
    const auto until = base::real_now_ms() + base::hour_ms;
    data.engine->write_and_wait([&](db::Transaction& tx) {
        store::AuditEvent event{.account_id = "1000000000000001", .at_ms = 1, .event_id = "e", .body = "{}"};
        store::append_audit_event(tx, event, store::UsedNonce{.hash = "used", .until_ms = until});
    });
    data.engine->close();
    copy_there();
    auto copied = open_existing_data(at(*database_));
    bool taken = true;
    copied.engine->write_and_wait(
        [&](db::Transaction& tx) { taken = store::take_nonce(tx, {.account_id = "1000000000000001", .hash = "used", .request_id = "another", .until_ms = until}); });
    copied.engine->close();
    EXPECT_FALSE(taken) << "it can be used once more";
}

TEST_F(MovingOnPostgres, ACopyOnAFullDiskChangesNothingAndCompletesLater) {
    auto& cluster = database_->cluster();
    db::open({.directory = {}, .url = database_->url(), .create = true, .connections = 1, .first_content = {}, .before_migrations = {}})->close();
    cluster.pretend_full_disk(database_->name(), true);
    EXPECT_THAT(refused([&] { copy_there(); }), HasSubstr("No space left"));
    cluster.pretend_full_disk(database_->name(), false);
    EXPECT_EQ(count(*database_, "accounts"), "0");
    EXPECT_EQ(count(*database_, "facts"), "0");
    copy_there();
    EXPECT_THAT(quietly([&] { copy({.from = directory_, .to = database_->url()}); }), HasSubstr("the same already"));
}

TEST_F(MovingOnPostgres, ACopyRefusesADatabaseWithTablesOfOthers) {
    database_->cluster().ask(database_->name(), "CREATE TABLE somebody_elses (a TEXT)");
    EXPECT_THAT(refused([&] { copy({.from = directory_, .to = database_->url()}); }), HasSubstr("is not empty"));
}

TEST_F(MovingOnPostgres, ABackupIsRestoredIntoAnEmptyDatabase) {
    copy_there();
    quietly([&] { back_up({.place = at(*database_), .file = file_}); });
    const PostgresDatabase other;
    quietly([&] { restore({.place = at(other), .file = file_}); });
    EXPECT_EQ(count(other, "members"), count(*database_, "members"));
    EXPECT_EQ(count(other, "audit_events WHERE event_name = 'RestoreDatabase'"), "1");
    EXPECT_EQ(count(*database_, "audit_events WHERE event_name = 'BackUpDatabase'"), "1");
    EXPECT_THAT(refused([&] { restore({.place = at(other), .file = file_}); }), HasSubstr("is not empty"));
}

TEST_F(MovingOnPostgres, ARestoreRefusesWhatIsCutOffOrSomethingElseOrOfAnotherKey) {
    copy_there();
    quietly([&] { back_up({.place = at(*database_), .file = file_}); });
    const PostgresDatabase other;
    const auto size = std::filesystem::file_size(file_);
    std::filesystem::copy_file(file_, root_ + "/cut");
    std::filesystem::resize_file(root_ + "/cut", size / 2);
    EXPECT_THAT(refused([&] { restore({.place = at(other), .file = root_ + "/cut"}); }), HasSubstr("damaged"));
    std::ofstream(root_ + "/text") << "this is no dump";
    EXPECT_THAT(refused([&] { restore({.place = at(other), .file = root_ + "/text"}); }), HasSubstr("damaged"));
    const auto key = root_ + "/other.key";
    keys::Ring::create(key);
    EXPECT_THAT(refused([&] { restore({.place = {.directory = directory_, .key_file = key, .url = other.url()}, .file = file_}); }), HasSubstr("is not the one"));
    EXPECT_EQ(count(other, "pg_tables WHERE schemaname = 'public'"), "0") << "nothing was touched";
}

TEST_F(MovingOnPostgres, ProgramsThatAreMissingOrTooOldAreNamed) {
    copy_there();
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", root_.c_str(), 1);
    const auto missing = refused([&] { back_up({.place = at(*database_), .file = file_}); });
    std::ofstream(root_ + "/pg_dump") << "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n";
    std::filesystem::permissions(root_ + "/pg_dump", std::filesystem::perms::owner_all);
    const auto old = refused([&] { back_up({.place = at(*database_), .file = file_}); });
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_THAT(missing, HasSubstr("pg_dump is not installed"));
    EXPECT_THAT(old, HasSubstr("too old"));
    EXPECT_FALSE(std::filesystem::exists(file_));
}

// What a cluster would do, written down instead of done.
constexpr const char* stubs =
    "CREATE TABLE pg_dist_partition (logicalrelid regclass, partkey TEXT, together TEXT);"
    "CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.pg_dist_partition VALUES (t, NULL, NULL) $$;"
    "CREATE FUNCTION create_distributed_table(t regclass, c TEXT, colocate_with TEXT) RETURNS void LANGUAGE sql AS $$ INSERT INTO public.pg_dist_partition VALUES (t, c, "
    "colocate_with) $$;"
    "GRANT ALL ON pg_dist_partition TO openrd";

TEST_F(MovingOnPostgres, EveryTableIsDistributedOnceByAColumnThatItsUniqueKeysHave) {
    auto& cluster = database_->cluster();
    const auto without = refused([&] { migrate(at(*database_), "citus"); });
    EXPECT_THAT(without, HasSubstr("CREATE EXTENSION citus"));
    cluster.ask(database_->name(), stubs);
    quietly([&] { migrate(at(*database_), "citus"); });
    EXPECT_THAT(quietly([&] { migrate(at(*database_), "citus"); }), HasSubstr("0 tables distributed"));
    EXPECT_EQ(cluster.ask_one(database_->name(),
                              "SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'pg_dist_partition' AND "
                              "(SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = CAST(tablename AS regclass)) <> 1"),
              "");
    EXPECT_EQ(
        cluster.ask_one(database_->name(),
                        "SELECT string_agg(CAST(i.indexrelid AS regclass)::text, ' ') FROM pg_index i JOIN pg_dist_partition p ON p.logicalrelid = i.indrelid "
                        "WHERE i.indisunique AND p.partkey IS NOT NULL AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = p.partkey AND "
                        "a.attnum = ANY (CAST(i.indkey AS int2[])))"),
        "");
    // Each group has one table that the others stand beside.
    EXPECT_EQ(cluster.ask_one(database_->name(),
                              "SELECT count(*) FROM pg_dist_partition p WHERE p.together <> 'none' AND NOT EXISTS (SELECT 1 FROM pg_dist_partition q WHERE "
                              "q.logicalrelid = CAST(p.together AS regclass) AND q.partkey = p.partkey AND q.together = 'none')"),
              "0");
    EXPECT_EQ(cluster.ask_one(database_->name(), "SELECT partkey FROM pg_dist_partition WHERE logicalrelid = CAST('members' AS regclass)"), "directory_id");
}

}  // namespace
}  // namespace openrd::tests
