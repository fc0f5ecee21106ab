#include "db/sqlite/testing.hpp"

#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace openrd::db::sqlite {
namespace {

using testing::add_note;
using testing::caught;
using testing::count_notes;
using ::testing::HasSubstr;
using testing::open_small;

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void overwrite(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

class Backup : public ::testing::Test {
  protected:
    Backup() { overwrite(file_, ""); }
    ~Backup() override { std::filesystem::remove_all(std::filesystem::path(file_).parent_path()); }

    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "backup_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    void back_up_now() const { back_up(directory_.path(), file_, testing::small_schema()); }
    void restore_now(const db::Engine::Work& content = [](Transaction&) {}) const { restore(file_, other_.path(), testing::small_schema(), content); }
    testing::Caught refused(const db::Engine::Work& content = [](Transaction&) {}) const {
        auto result = caught([&] { restore_now(content); });
        EXPECT_FALSE(std::filesystem::exists(other_.path())) << "nothing is left";
        return result;
    }
    void make(int notes) const {
        const auto engine = open_small(directory_);
        for (int n = 0; n < notes; ++n) engine->write_and_wait([n](Transaction& tx) { add_note(tx, "note " + std::to_string(n)); });
        engine->close();
    }

    testing::Directory directory_, other_;
    std::string file_ = make_directory() + "/copy";
};

TEST_F(Backup, HoldsEverythingAndIsADatabaseAgain) {
    make(3);
    back_up_now();
    restore_now([](Transaction& tx) { add_note(tx, "restored"); });
    const auto engine = open_small(other_);
    EXPECT_EQ(count_notes(*engine), 4);
    struct stat facts {};
    ASSERT_EQ(::stat(other_.file().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777U, 0600U);
}

TEST_F(Backup, IsOfOneMomentBesideAWriter) {
    const auto engine = open_small(directory_);
    std::atomic<bool> stop{false};
    std::atomic<std::int64_t> written{0};
    std::thread writer([&] {
        for (std::int64_t n = 0; !stop; ++n) {
            engine->write_and_wait([n](Transaction& tx) { add_note(tx, "a " + std::to_string(n)), add_note(tx, "b " + std::to_string(n)); });
            written = n + 1;
        }
    });
    EXPECT_TRUE(testing::eventually([&] { return written >= 20; }));
    const auto before = written.load();
    back_up_now();
    const auto after = written.load();
    stop = true;
    writer.join();
    engine->close();
    restore_now();
    const auto count = count_notes(*open_small(other_));
    EXPECT_EQ(count % 2, 0) << "half a transaction";
    EXPECT_GE(count, 2 * before);
    EXPECT_LE(count, 2 * (after + 1));
}

TEST_F(Backup, HoldsNothingOfWhatWasDeleted) {
    static constexpr Sql sql{"DELETE FROM notes WHERE name = 'a secret of before'"};
    const auto engine = open_small(directory_);
    engine->write_and_wait([](Transaction& tx) { add_note(tx, "a secret of before"), add_note(tx, "what stays"); });
    engine->write_and_wait([](Transaction& tx) { tx.run(sql); });
    back_up_now();
    engine->close();
    EXPECT_THAT(contents(file_), HasSubstr("what stays"));
    EXPECT_THAT(contents(file_), ::testing::Not(HasSubstr("a secret of before")));
}

TEST_F(Backup, OfNothingIsRefused) {
    EXPECT_THAT(caught([&] { back_up_now(); }).what, HasSubstr("there is no database"));
    EXPECT_FALSE(std::filesystem::exists(directory_.path()));
}

TEST_F(Backup, OnAFullDiskIsRefusedAndTheDatabaseGoesOn) {
    make(3);
    const auto engine = open_small(directory_);
    {
        const testing::FullDisk full;
        EXPECT_EQ(caught([&] { back_up_now(); }).trouble, Trouble::unavailable);
    }
    EXPECT_EQ(count_notes(*engine), 3);
    overwrite(file_, "");
    back_up_now();
    restore_now();
}

TEST_F(Backup, ThatWasCutOffIsRefused) {
    make(200);
    back_up_now();
    const auto whole = contents(file_);
    ASSERT_GT(whole.size(), 8192U);
    for (const std::size_t size : {std::size_t{0}, std::size_t{50}, std::size_t{4096}, whole.size() - 4096, whole.size() - 1}) {
        overwrite(file_, whole.substr(0, size));
        const auto said = refused();
        EXPECT_EQ(said.trouble, Trouble::damaged) << size << said.what;
        EXPECT_THAT(said.what, HasSubstr(file_)) << size;
    }
}

TEST_F(Backup, WithADamagedPageIsRefused) {
    make(200);
    back_up_now();
    auto bytes = contents(file_);
    for (std::size_t at = 4096; at < bytes.size(); at += 4096) bytes[at] = '\x7f';
    overwrite(file_, bytes);
    EXPECT_EQ(refused().trouble, Trouble::damaged);
}

TEST_F(Backup, OfSomethingElseIsRefused) {
    overwrite(file_, "this is no database, whatever its name says");
    EXPECT_EQ(refused().trouble, Trouble::damaged);
    std::filesystem::remove(file_);
    std::filesystem::create_directory(file_);
    EXPECT_THAT(refused().what, HasSubstr(file_));
    std::filesystem::remove(file_);
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
    sqlite3_exec(other, "CREATE TABLE somebody_elses (a)", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    EXPECT_THAT(refused().what, HasSubstr("schema_migrations"));
    std::filesystem::remove(file_);
    EXPECT_THAT(refused().what, HasSubstr("No such file"));
}

TEST_F(Backup, OfANewerSchemaIsRefused) {
    make(1);
    back_up_now();
    sqlite3* copy = nullptr;
    ASSERT_EQ(sqlite3_open(file_.c_str(), &copy), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(copy, "INSERT INTO schema_migrations VALUES (4711, 'of tomorrow', 'x', 0)", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(copy);
    EXPECT_EQ(refused().trouble, Trouble::newer);
}

TEST_F(Backup, IsNotRestoredOverADatabase) {
    make(3);
    back_up_now();
    restore_now();
    const auto before = contents(other_.file());
    EXPECT_THAT(caught([&] { restore_now(); }).what, HasSubstr("already"));
    EXPECT_EQ(contents(other_.file()), before);
}

TEST_F(Backup, WhoseContentIsRefusedLeavesNothing) {
    make(3);
    back_up_now();
    EXPECT_THROW(restore_now([](Transaction&) { throw std::runtime_error("another key"); }), std::runtime_error);
    EXPECT_FALSE(std::filesystem::exists(other_.path()));
}

}  // namespace
}  // namespace openrd::db::sqlite
