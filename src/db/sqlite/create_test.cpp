#include "db/sqlite/create.hpp"
#include "db/sqlite/testing.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace openrd::db::sqlite {
namespace {

using testing::add_note;
using testing::caught;
using testing::count_notes;
using ::testing::HasSubstr;
using testing::in;
using testing::open_small;

int mode_of(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? static_cast<int>(facts.st_mode & 0777U) : -1;
}

std::size_t files_in(const std::string& directory) {
    std::size_t count = 0;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(directory, none)) count += entry.exists();
    return count;
}

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void overwrite(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

TEST(NewDatabase, HasItsSchemaAndFirstContent) {
    const testing::Directory directory;
    OpenOptions options = in(directory);
    options.first_content = [](Transaction& tx) {
        EXPECT_TRUE(tx.writable());
        add_note(tx, "first");
    };
    EXPECT_EQ(count_notes(*open_small(options)), 1);
    options.first_content = [](Transaction&) { FAIL() << "only once"; };
    const auto again = open_small(options);
    EXPECT_EQ(count_notes(*again), 1);
    EXPECT_EQ(migration_state(directory.path(), testing::small_schema()).applied, 1);
}

TEST(NewDatabase, IsForItsOwnerOnly) {
    const testing::Directory directory;
    const mode_t before = umask(0);
    const auto engine = open_small(directory);
    engine->write_and_wait([](Transaction& tx) { add_note(tx, "a"); });
    umask(before);
    EXPECT_EQ(mode_of(directory.path()), 0700);
    for (const auto* end : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(directory.file() + end), 0600) << end;
}

TEST(NewDatabase, SyncsTwice) {
    const testing::Directory directory;
    const auto before = sync_count();
    const auto really_before = testing::real_syncs();
    const auto engine = open_small(directory);
    EXPECT_EQ(sync_count() - before, 2U);
    EXPECT_EQ(testing::real_syncs() - really_before, 2U) << "SQLite's own included";
    EXPECT_EQ(files_in(directory.path()), 3U) << "the file, its log and its shared memory";
}

TEST(NewDatabase, ThatNeedNotLastSyncsNever) {
    const testing::Directory directory;
    OpenOptions options = in(directory);
    options.durable = false;
    const auto before = testing::real_syncs();
    auto engine = open_small(options);
    engine->write_and_wait([](Transaction& tx) { add_note(tx, "a"); });
    EXPECT_EQ(count_notes(*engine), 1);
    engine.reset();
    EXPECT_EQ(testing::real_syncs(), before);
}

TEST(NewDatabase, IsNotMadeUnlessAskedFor) {
    const testing::Directory directory;
    OpenOptions options = in(directory);
    options.create = false;
    const auto error = caught([&] { open_small(options); });
    EXPECT_EQ(error.trouble, Trouble::unavailable);
    EXPECT_THAT(error.what, HasSubstr("there is no database"));
    EXPECT_FALSE(std::filesystem::exists(directory.path()));
    EXPECT_EQ(caught([&] { migrate(directory.path(), testing::small_schema()); }).trouble, Trouble::unavailable);
    EXPECT_EQ(migration_state(directory.path(), testing::small_schema()).applied, 0);
    EXPECT_FALSE(std::filesystem::exists(directory.path()));
}

TEST(NewDatabase, FirstContentThatThrowsLeavesNothing) {
    const testing::Directory directory;
    OpenOptions options = in(directory);
    options.first_content = [](Transaction& tx) {
        add_note(tx, "a");
        throw std::out_of_range("no");
    };
    EXPECT_THROW(open_small(options), std::out_of_range);
    EXPECT_FALSE(std::filesystem::exists(directory.path()));
    options.first_content = [](Transaction& tx) { tx.savepoint(); };
    EXPECT_EQ(caught([&] { open_small(options); }).trouble, Trouble::programming);
    EXPECT_FALSE(std::filesystem::exists(directory.path()));
    options.first_content = nullptr;
    EXPECT_EQ(count_notes(*open_small(options)), 0);
}

TEST(NewDatabase, ACrashInItsMakingLeavesNothingForTheNext) {
    const testing::Directory directory;
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        OpenOptions options = in(directory);
        options.first_content = [](Transaction& tx) {
            static constexpr Sql big{"INSERT INTO notes (name, amount, body) VALUES ('big', 0, zeroblob(8000000))"};  // more than the cache holds
            tx.run(big);
            raise(SIGKILL);
        };
        open_small(options);
        _exit(0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(std::filesystem::exists(directory.file()));
    EXPECT_GE(files_in(directory.path()), 1U) << "the attempt";
    const auto engine = open_small(directory);
    EXPECT_EQ(count_notes(*engine), 0);
    EXPECT_EQ(files_in(directory.path()), 3U);
}

TEST(NewDatabase, LeftoversBesideAFinishedOneAreRemoved) {
    const testing::Directory directory;
    open_small(directory).reset();
    overwrite(directory.path() + "/openrd.db.new", "half");
    overwrite(directory.path() + "/openrd.db.new-journal", "half");
    open_small(directory).reset();
    EXPECT_EQ(files_in(directory.path()), 1U);
}

TEST(NewDatabase, DoesNotTakeUpTheLogOfALostOne) {
    const testing::Directory directory;
    std::filesystem::create_directory(directory.path());
    overwrite(directory.file() + "-wal", std::string(10'000, 'w'));
    EXPECT_EQ(count_notes(*open_small(directory)), 0);
}

TEST(NewDatabase, SeveralMakersGetTheSameOne) {
    const testing::Directory directory;
    std::atomic<int> made{0};
    std::vector<std::unique_ptr<Engine>> engines(4);
    std::vector<std::thread> threads;
    for (auto& engine : engines)
        threads.emplace_back([&] {
            OpenOptions options = in(directory);
            options.first_content = [&](Transaction& tx) {
                ++made;
                add_note(tx, "first");
            };
            engine = open_small(options);
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(made, 1);
    for (const auto& engine : engines) EXPECT_EQ(count_notes(*engine), 1);
}

TEST(NewDatabase, AnUnusableDirectoryIsSaidSo) {
    const testing::Directory directory;
    overwrite(directory.path(), "a file");
    const auto error = caught([&] { open_small(directory); });
    EXPECT_EQ(error.trouble, Trouble::unavailable);
    EXPECT_THAT(error.what, HasSubstr(directory.path()));
    std::filesystem::remove(directory.path());
    std::filesystem::create_directories(directory.file());
    EXPECT_EQ(caught([&] { open_small(directory); }).trouble, Trouble::unavailable) << "openrd.db is a directory";
}

TEST(NewDatabase, TheMigrationsOfTheBinaryMakeOne) {
    const testing::Directory directory;
    EXPECT_GT(db::migration_state(directory.path()).known, 0);
    const auto engine = db::open(in(directory));
    const auto state = db::migration_state(directory.path());
    EXPECT_EQ(state.applied, state.known);
    EXPECT_EQ(db::migrate(directory.path()), 0);
}

class Existing : public ::testing::Test {
  protected:
    Existing() {
        const auto engine = open_small(directory_);
        engine->write_and_wait([](Transaction& tx) {
            for (int i = 0; i < 1000; ++i) add_note(tx, "note number " + std::to_string(i));
        });
    }
    // All ways to open it refuse it with one line and leave it as it is.
    void expect_damaged() {
        const std::string before = contents(directory_.file());
        for (const auto& open :
             {std::function<void()>([&] { open_small(directory_); }), std::function<void()>([&] { migration_state(directory_.path(), testing::small_schema()); }),
              std::function<void()>([&] { migrate(directory_.path(), testing::small_schema()); })}) {
            const auto error = caught(open);
            EXPECT_EQ(error.trouble, Trouble::damaged) << error.what;
            EXPECT_THAT(error.what, HasSubstr(directory_.file()));
            EXPECT_EQ(error.what.find('\n'), std::string::npos);
        }
        EXPECT_EQ(contents(directory_.file()), before);
    }

    testing::Directory directory_;
};

TEST_F(Existing, Garbage) {
    overwrite(directory_.file(), std::string(20'000, '?'));
    expect_damaged();
}

TEST_F(Existing, Empty) {
    overwrite(directory_.file(), "");
    expect_damaged();
}

TEST_F(Existing, OfSomebodyElse) {
    const testing::Directory other;
    OpenOptions options = in(other);
    static constexpr Sql drop{"DROP TABLE schema_migrations"};
    options.first_content = [](Transaction& tx) { tx.run(drop); };
    EXPECT_EQ(caught([&] { open_small(options); }).trouble, Trouble::damaged);
    std::filesystem::copy_file(other.file(), directory_.file(), std::filesystem::copy_options::overwrite_existing);
    expect_damaged();
}

TEST_F(Existing, TruncatedAnywhere) {
    const std::string whole = contents(directory_.file());
    ASSERT_GT(whole.size(), 40'000U);
    for (const std::size_t size : {std::size_t{1}, std::size_t{50}, std::size_t{100}, std::size_t{2000}, std::size_t{4096}, std::size_t{5000}, std::size_t{8192}, whole.size() / 2,
                                   whole.size() - 4096, whole.size() - 1}) {
        SCOPED_TRACE(size);
        overwrite(directory_.file(), whole.substr(0, size));
        expect_damaged();
    }
}

TEST_F(Existing, WithAPageOfNoise) {
    const std::string whole = contents(directory_.file());
    for (std::size_t page = 0; page < whole.size() / 4096; ++page) {
        SCOPED_TRACE(page);
        std::string bytes = whole;
        for (std::size_t i = 0; i < 4096; ++i) bytes[page * 4096 + i] = static_cast<char>(i * 31 + page);
        overwrite(directory_.file(), bytes);
        expect_damaged();
    }
}

TEST_F(Existing, ThatIsLargeIsLookedThroughWhenAskedFor) {
    {
        const auto engine = open_small(directory_);
        static constexpr Sql table{"CREATE TABLE bulk (body BLOB)"};
        static constexpr Sql big{"INSERT INTO bulk (body) VALUES (zeroblob(9000000))"};
        engine->write_and_wait([](Transaction& tx) {
            tx.run(table);
            tx.run(big);
        });
    }
    ASSERT_GT(std::filesystem::file_size(directory_.file()), 8U * 1024 * 1024);
    std::string bytes = contents(directory_.file());
    const std::size_t leaf = bytes.find("note number 500");
    ASSERT_NE(leaf, std::string::npos);
    for (std::size_t i = leaf / 4096 * 4096; i < leaf / 4096 * 4096 + 4096; ++i) bytes[i] = '?';
    overwrite(directory_.file(), bytes);
    OpenOptions options = in(directory_);
    {
        const auto engine = open_small(options);
        EXPECT_EQ(caught([&] { count_notes(*engine); }).trouble, Trouble::damaged) << "found where it is met, and no crash";
        EXPECT_TRUE(testing::has_note(*engine, "note number 0"));
    }
    options.check_every_page = true;
    EXPECT_EQ(caught([&] { open_small(options); }).trouble, Trouble::damaged);
}

TEST_F(Existing, InAnotherJournalModeIsBroughtBack) {
    Connection(directory_.file(), Use::writing, true).execute("PRAGMA journal_mode = DELETE");
    const auto engine = open_small(directory_);
    engine->write_and_wait([](Transaction& tx) { add_note(tx, "a"); });
    EXPECT_TRUE(std::filesystem::exists(directory_.file() + "-wal"));
}

class Migrating : public ::testing::Test {
  protected:
    using Files = std::vector<embedded::File>;
    const embedded::File first = testing::small_schema()[0];
    const embedded::File second{"0002_more.sql", "ALTER TABLE notes ADD COLUMN more TEXT;\nUPDATE notes SET more = 'yes';\n"};
    const embedded::File third{"0003_wrong.sql", "CREATE TABLE third (x TEXT);\nINSERT INTO nowhere VALUES (1);\n"};

    void open_with(const Files& files) { open(in(directory_), files)->close(); }
    int applied() { return migration_state(directory_.path(), Files{first}).applied; }

    testing::Directory directory_;
};

TEST_F(Migrating, OpeningRunsWhatIsMissing) {
    open_with({first});
    const auto state = migration_state(directory_.path(), Files{first, second});
    EXPECT_EQ(state.known, 2);
    EXPECT_EQ(state.applied, 1);
    open_with({first, second});
    EXPECT_EQ(applied(), 2);
    open_with({first, second});
}

TEST_F(Migrating, OnlyRunsOverWhatWasLookedAtAndTaken) {
    open_with({first});
    auto options = in(directory_);
    options.before_migrations = [](Transaction& tx) {
        EXPECT_FALSE(tx.writable());
        throw std::runtime_error("not ours");
    };
    EXPECT_THROW(open(options, Files{first, second}), std::runtime_error);
    EXPECT_EQ(migration_state(directory_.path(), Files{first, second}).applied, 1) << "it is as it was";
    int looks = 0;
    options.before_migrations = [&](Transaction&) { ++looks; };
    open(options, Files{first, second})->close();
    EXPECT_EQ(looks, 1);
    EXPECT_EQ(migration_state(directory_.path(), Files{first, second}).applied, 2);
}

TEST_F(Migrating, MigrateRunsWhatIsMissing) {
    open_with({first});
    EXPECT_EQ(migrate(directory_.path(), Files{first, second}), 1);
    EXPECT_EQ(migrate(directory_.path(), Files{first, second}), 0);
}

TEST_F(Migrating, OneThatFailsIsUndoneWhole) {
    open_with({first});
    EXPECT_EQ(caught([&] { open_with({first, second, third}); }).trouble, Trouble::programming);
    EXPECT_EQ(applied(), 2) << "those before it stand";
    const embedded::File mended{"0003_wrong.sql", "CREATE TABLE third (x TEXT);\n"};
    open_with({first, second, mended});
    EXPECT_EQ(applied(), 3);
}

TEST_F(Migrating, ANewerDatabaseIsRefused) {
    open_with({first, second});
    const std::string before = contents(directory_.file());
    const auto error = caught([&] { open_with({first}); });
    EXPECT_EQ(error.trouble, Trouble::newer);
    EXPECT_THAT(error.what, HasSubstr("newer openrd (schema 2, this one knows 1)"));
    EXPECT_EQ(caught([&] { migrate(directory_.path(), Files{first}); }).trouble, Trouble::newer);
    EXPECT_EQ(contents(directory_.file()), before);
}

TEST_F(Migrating, AChangedMigrationIsRefused) {
    open_with({first});
    const embedded::File changed{first.name, "CREATE TABLE notes (name TEXT);\n"};
    const auto error = caught([&] { open_with({changed}); });
    EXPECT_EQ(error.trouble, Trouble::damaged);
    EXPECT_THAT(error.what, HasSubstr("migration 0001_small was changed"));
}

TEST_F(Migrating, TheTextForThisEngineIsTheOneThatRuns) {
    open_with({first, {"0002_own.sql", "SELECT wrong;\n"}, {"0002_own.sqlite.sql", "CREATE TABLE own (x TEXT);\n"}, {"0002_own.postgres.sql", "SELECT wrong;\n"}});
    EXPECT_EQ(applied(), 2);
}

}  // namespace
}  // namespace openrd::db::sqlite
