#include "db/sqlite/testing.hpp"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace openrd::db::sqlite {
namespace {

using testing::add_note;
using testing::caught;
using testing::count_notes;
using ::testing::Each;
using testing::has_note;
using ::testing::HasSubstr;

constexpr Sql add_big{"INSERT INTO notes (name, amount, body) VALUES ($1, 0, zeroblob(6000000))"};  // more than the page cache holds

class DiskFull : public ::testing::Test {
  protected:
    void add(std::string_view name) {
        engine_->write_and_wait([&](Transaction& tx) { add_note(tx, name); });
    }

    testing::Directory directory_;
    testing::Answers answers_;
    std::unique_ptr<Engine> engine_ = testing::open_small(directory_);
};

TEST_F(DiskFull, AtTheCommitNothingIsDoneAndReadsGoOn) {
    add("before");
    {
        const testing::FullDisk full;
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(caught([&] { add("lost"); }).trouble, Trouble::unavailable);
            EXPECT_EQ(count_notes(*engine_), 1);
        }
    }
    add("after");
    EXPECT_EQ(count_notes(*engine_), 2);
    EXPECT_FALSE(has_note(*engine_, "lost"));
    engine_.reset();
    engine_ = testing::open_small(directory_);
    EXPECT_EQ(count_notes(*engine_), 2);
}

TEST_F(DiskFull, InAWorkTakesTheWholeBatchAlong) {
    std::mutex hold;
    hold.lock();
    engine_->write([&](Transaction&) { const std::lock_guard wait(hold); }, nullptr);
    engine_->write([](Transaction& tx) { add_note(tx, "small"); }, answers_.next());
    engine_->write([](Transaction&) { throw std::runtime_error("its own reason"); }, answers_.next());
    engine_->write([](Transaction& tx) { tx.run(add_big, {"big"}); }, answers_.next());
    engine_->write([](Transaction& tx) { add_note(tx, "not reached"); }, answers_.next());
    {
        const testing::FullDisk full;
        hold.unlock();
        answers_.wait_for(4);
    }
    EXPECT_THAT(answers_.outcomes(), ::testing::ElementsAre(Outcome::unavailable, Outcome::failed, Outcome::unavailable, Outcome::unavailable));
    EXPECT_THAT(answers_.error(0), HasSubstr("full"));
    EXPECT_EQ(answers_.error(1), "its own reason");
    EXPECT_EQ(count_notes(*engine_), 0);
    add("after");
    EXPECT_EQ(count_notes(*engine_), 1);
}

TEST_F(DiskFull, AWorkThatHidesItIsNotBelieved) {
    {
        const testing::FullDisk full;
        engine_->write(
            [](Transaction& tx) {
                tx.changed(Topic::outbox);
                Savepoint part(tx);
                EXPECT_EQ(caught([&] { tx.run(add_big, {"big"}); }).trouble, Trouble::unavailable);
                EXPECT_EQ(caught([&] { add_note(tx, "alone"); }).trouble, Trouble::unavailable) << "it would be committed by itself";
                EXPECT_EQ(caught([&] { tx.savepoint(); }).trouble, Trouble::unavailable);
                part.undo();
            },
            answers_.next());
        answers_.wait_for(1);
    }
    EXPECT_THAT(answers_.outcomes(), Each(Outcome::unavailable));
    EXPECT_EQ(engine_->generation(Topic::outbox), 0U);
    EXPECT_EQ(count_notes(*engine_), 0);
}

TEST_F(DiskFull, AtTheBoundOfTheFileIsTheSame) {
    static constexpr Sql bound{"PRAGMA max_page_count = 50"};
    static constexpr Sql unbound{"PRAGMA max_page_count = 1073741823"};
    engine_->write_and_wait([](Transaction& tx) {
        auto rows = tx.query(bound);
        EXPECT_TRUE(rows.next());
    });
    EXPECT_EQ(caught([&] { engine_->write_and_wait([](Transaction& tx) { tx.run(add_big, {"big"}); }); }).trouble, Trouble::unavailable);
    add("small");
    EXPECT_EQ(count_notes(*engine_), 1);
    engine_->write_and_wait([](Transaction& tx) {
        auto rows = tx.query(unbound);
        EXPECT_TRUE(rows.next());
    });
    engine_->write_and_wait([](Transaction& tx) { tx.run(add_big, {"big"}); });
    EXPECT_EQ(count_notes(*engine_), 2);
}

TEST_F(DiskFull, ACommitThatCouldNotBeSyncedIsNotThereAfterACrash) {
    engine_.reset();
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const auto engine = testing::open_small(directory_);
        engine->write_and_wait([](Transaction& tx) { add_note(tx, "before"); });
        testing::fail_syncs(true);
        try {
            engine->write_and_wait([](Transaction& tx) { add_note(tx, "refused"); });
            _exit(1);
        } catch (const Error& error) {
            if (error.trouble() != Trouble::unavailable || count_notes(*engine) != 1) _exit(2);
        }
        raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    engine_ = testing::open_small(directory_);
    EXPECT_TRUE(has_note(*engine_, "before"));
    EXPECT_FALSE(has_note(*engine_, "refused"));
}

// A file system of 1 MiB, where this process may have one.
class SmallDisk {
  public:
    explicit SmallDisk(std::string path) : path_(std::move(path)) {
        std::filesystem::create_directory(path_);
        mounted_ = ::mount("none", path_.c_str(), "tmpfs", 0, "size=1m") == 0;
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    ~SmallDisk() {
        if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    }
    bool mounted() const { return mounted_; }

  private:
    std::string path_;
    bool mounted_ = false;
};

TEST(SmallFileSystem, FullAndEmptiedAgain) {
    const testing::Directory directory;
    const SmallDisk disk(directory.path());
    if (!disk.mounted()) GTEST_SKIP() << "not permitted to mount a file system";
    const auto engine = testing::open_small(directory);
    engine->write_and_wait([](Transaction& tx) { add_note(tx, "before"); });
    const std::string ballast = directory.path() + "/ballast";
    {
        std::ofstream file(ballast, std::ios::binary);
        while (file << std::string(4096, 'b') << std::flush) {}
    }
    std::int64_t written = 0;
    const auto fill = [&] {
        for (int i = 0; i < 1000; ++i) {
            engine->write_and_wait([&](Transaction& tx) { add_note(tx, "filling " + std::to_string(i)); });
            ++written;
        }
    };
    EXPECT_EQ(caught(fill).trouble, Trouble::unavailable);
    EXPECT_EQ(count_notes(*engine), 1 + written);
    EXPECT_EQ(caught([&] { engine->write_and_wait([](Transaction& tx) { tx.run(add_big, {"big"}); }); }).trouble, Trouble::unavailable);
    std::filesystem::remove(ballast);
    engine->write_and_wait([](Transaction& tx) { add_note(tx, "after"); });
    EXPECT_EQ(count_notes(*engine), 2 + written);
}

TEST(SmallFileSystem, TooSmallForANewDatabase) {
    const testing::Directory directory;
    const SmallDisk disk(directory.path());
    if (!disk.mounted()) GTEST_SKIP() << "not permitted to mount a file system";
    OpenOptions options = testing::in(directory);
    options.first_content = [](Transaction& tx) { tx.run(add_big, {"big"}); };
    EXPECT_EQ(caught([&] { testing::open_small(options); }).trouble, Trouble::unavailable);
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
    EXPECT_EQ(count_notes(*testing::open_small(directory)), 0);
}

}  // namespace
}  // namespace openrd::db::sqlite
