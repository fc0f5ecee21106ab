#include "openrd/backup.hpp"

#include "db/open.hpp"
#include "openrd/account.hpp"
#include "openrd/copy.hpp"
#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "store/accounts.hpp"
#include "store/audit_events.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace openrd {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

class Moving : public ::testing::Test {
  protected:
    Moving() { make(directory_); }
    ~Moving() override { std::filesystem::remove_all(root_); }

    static std::string make_root() {
        std::string path = ::testing::TempDir() + "moving_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    static void make(const std::string& directory) {
        base::Settings settings;
        settings.audit.origin = "test.example/audit";
        open_sandbox_data({.directory = directory}, false, settings, base::Clock()).engine->close();
    }
    static std::string quietly(const std::function<void()>& work) {
        ::testing::internal::CaptureStdout();
        work();
        return ::testing::internal::GetCapturedStdout();
    }
    static std::string refused(const std::function<void()>& work) {
        ::testing::internal::CaptureStdout();
        std::string said;
        try {
            work();
            ADD_FAILURE() << "it was done";
        } catch (const std::exception& error) { said = error.what(); }
        ::testing::internal::GetCapturedStdout();
        EXPECT_EQ(said.find('\n'), said.npos) << said;
        return said;
    }
    void add_account(const std::string& directory, const std::string& name) const {
        AccountOptions options;
        options.place.directory = directory;
        options.name = name;
        options.email = "somebody@example.com";
        quietly([&] { create_account(options); });
    }
    static std::int64_t accounts(const std::string& directory) {
        auto data = open_existing_data({.directory = directory});
        std::int64_t count = 0;
        data.engine->read([&](db::Transaction& tx) { count = static_cast<std::int64_t>(store::list_accounts(tx, "", 10'000).size()); });
        data.engine->close();
        return count;
    }
    static std::vector<std::string> acts(const std::string& directory) {
        auto data = open_existing_data({.directory = directory});
        std::vector<std::string> names;
        data.engine->read([&](db::Transaction& tx) {
            names.clear();
            for (const auto& event : store::audit_events_after(tx, 0, 10'000))
                if (event.account_id == server_log) names.push_back(event.event_name);
        });
        data.engine->close();
        return names;
    }
    void give_key(const std::string& directory) const {
        std::filesystem::create_directories(directory);
        std::filesystem::copy_file(directory_ + "/openrd.key", directory + "/openrd.key");
    }
    std::string back_up_now() const {
        return quietly([&] { back_up({.place = {.directory = directory_}, .file = file_}); });
    }
    void restore_now() const {
        quietly([&] { restore({.place = {.directory = other_}, .file = file_}); });
    }
    std::string restore_refused() const {
        return refused([&] { restore({.place = {.directory = other_}, .file = file_}); });
    }
    void copy_now() const {
        quietly([&] { copy({.from = directory_, .to = other_}); });
    }
    std::string copy_refused() const {
        return refused([&] { copy({.from = directory_, .to = other_}); });
    }

    std::string root_ = make_root();
    std::string directory_ = root_ + "/data", other_ = root_ + "/other", file_ = root_ + "/backup";
};

TEST_F(Moving, ABackupIsRestoredWithEverythingInIt) {
    add_account(directory_, "of before");
    EXPECT_THAT(back_up_now(), HasSubstr("openrd.key is not in it"));
    struct stat facts {};
    ASSERT_EQ(::stat(file_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777U, 0600U);
    EXPECT_FALSE(std::filesystem::exists(file_ + ".part"));
    EXPECT_THAT(acts(directory_), Contains("BackUpDatabase"));
    add_account(directory_, "of after");
    give_key(other_);
    restore_now();
    EXPECT_EQ(accounts(other_), accounts(directory_) - 1);
    EXPECT_THAT(acts(other_), Contains("RestoreDatabase"));
    EXPECT_THAT(acts(other_), ::testing::Not(Contains("BackUpDatabase"))) << "it was recorded after the copy was made";
}

TEST_F(Moving, ABackupIsMadeAndRestoredBesideAServerButNotUnderOne) {
    const ServerLock serving(directory_);
    back_up_now();
    give_key(other_);
    const ServerLock other(other_);
    EXPECT_THAT(restore_refused(), HasSubstr("another server"));
    EXPECT_FALSE(std::filesystem::exists(other_ + "/openrd.db"));
}

TEST_F(Moving, ABackupTakesTheNameOfNothing) {
    std::ofstream(file_) << "somebody's file";
    EXPECT_THAT(refused([&] { back_up({.place = {.directory = directory_}, .file = file_}); }), HasSubstr("there already"));
    EXPECT_EQ(std::filesystem::file_size(file_), 15U);
    EXPECT_THAT(refused([&] { back_up({.place = {.directory = directory_}, .file = root_ + "/nowhere/backup"}); }), HasSubstr("cannot write"));
    EXPECT_THAT(acts(directory_), ::testing::IsEmpty());
}

TEST_F(Moving, ABackupTakesOverWhatAKilledOneHasLeft) {
    std::ofstream(file_ + ".part") << "half of a database";
    back_up_now();
    give_key(other_);
    restore_now();
}

TEST_F(Moving, ARestoreNeedsTheKeyThatBelongsToIt) {
    back_up_now();
    EXPECT_THAT(restore_refused(), HasSubstr("is missing"));
    make(other_);
    std::filesystem::remove(other_ + "/openrd.db");
    EXPECT_THAT(restore_refused(), HasSubstr("is not the one"));
    EXPECT_FALSE(std::filesystem::exists(other_ + "/openrd.db"));
    EXPECT_FALSE(std::filesystem::exists(other_ + "/openrd.db.new"));
}

TEST_F(Moving, ARestoreRefusesADatabaseThatIsThere) {
    back_up_now();
    EXPECT_THAT(refused([&] { restore({.place = {.directory = directory_}, .file = file_}); }), HasSubstr("there is a database"));
}

TEST_F(Moving, ARestoreRefusesAFileThatIsNone) {
    give_key(other_);
    std::ofstream(file_) << "this is no database";
    EXPECT_THAT(restore_refused(), HasSubstr("damaged"));
    std::filesystem::remove(file_);
    EXPECT_THAT(restore_refused(), HasSubstr("No such file"));
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(other_), {}) <= 2, true) << "the key file, and the lock";
}

TEST_F(Moving, ACopyIsTheSameAndCanBeRepeated) {
    add_account(directory_, "one more");
    give_key(other_);
    EXPECT_THAT(quietly([&] { copy({.from = directory_, .to = other_}); }), HasSubstr("copied"));
    EXPECT_EQ(accounts(other_), accounts(directory_));
    EXPECT_THAT(quietly([&] { copy({.from = directory_, .to = other_}); }), HasSubstr("the same already"));
}

TEST_F(Moving, ACopyFillsASchemaThatIsEmpty) {
    std::filesystem::create_directories(other_);
    db::open({.directory = other_, .create = true, .durable = false})->close();
    copy_now();
    EXPECT_THAT(quietly([&] { copy({.from = directory_, .to = other_}); }), HasSubstr("the same already"));
}

TEST_F(Moving, ACopyRefusesATargetWithOtherContent) {
    give_key(other_);
    copy_now();
    add_account(other_, "in the target alone");
    const auto before = accounts(other_);
    EXPECT_THAT(copy_refused(), HasSubstr("holds something else"));
    EXPECT_EQ(accounts(other_), before);
}

TEST_F(Moving, ACopyRefusesAnotherKey) {
    make(other_);
    EXPECT_THAT(copy_refused(), HasSubstr("are not the same"));
}

TEST_F(Moving, ACopyRefusesWhatIsServed) {
    give_key(other_);
    {
        const ServerLock serving(directory_);
        EXPECT_THAT(copy_refused(), HasSubstr("another server"));
    }
    const ServerLock serving(other_);
    EXPECT_THAT(copy_refused(), HasSubstr("another server"));
    EXPECT_FALSE(std::filesystem::exists(other_ + "/openrd.db"));
}

TEST_F(Moving, ACopyNeedsADatabase) {
    std::filesystem::create_directories(root_ + "/nothing");
    EXPECT_THAT(refused([&] { copy({.from = root_ + "/nothing", .to = other_}); }), HasSubstr("there is no database"));
}

}  // namespace
}  // namespace openrd
