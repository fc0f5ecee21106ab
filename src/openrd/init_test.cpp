#include "openrd/init.hpp"

#include "openrd/failure.hpp"
#include "store/access_keys.hpp"
#include "store/accounts.hpp"
#include "store/audit_events.hpp"
#include "store/directories.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace openrd {
namespace {

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

class InitTest : public ::testing::Test {
  protected:
    InitTest() {
        std::ofstream(config_) << "[server]\nlisten = \"127.0.0.1:0\"\n[database]\ndata = \"" << directory_ << "\"\n[keys]\nfile = \"" << key_file_ << "\"\n";
        ::chmod(config_.c_str(), 0600);
    }
    ~InitTest() override { std::filesystem::remove_all(root_); }

    static std::string make_root() {
        std::string path = ::testing::TempDir() + "init_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    InitCommand command() const { return {.config = config_, .account_name = "Example", .enterprise_name = "Example Ltd"}; }
    // What it printed.
    boost::json::object run() const {
        ::testing::internal::CaptureStdout();
        EXPECT_EQ(init(command()), 0);
        return boost::json::parse(::testing::internal::GetCapturedStdout()).as_object();
    }

    std::string root_ = make_root();
    std::string directory_ = root_ + "/data", key_file_ = root_ + "/openrd.key", config_ = root_ + "/openrd.toml";
};

TEST_F(InitTest, MakesTheFirstManagementAccountAndPrintsItsPairOnce) {
    const auto printed = run();
    struct stat facts {};
    ASSERT_EQ(::stat(key_file_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777u, 0600u);
    const auto secret = std::string(printed.at("AccessKeySecret").as_string());
    EXPECT_EQ(secret.size(), 30u);
    for (const auto& file : std::filesystem::recursive_directory_iterator(root_))
        if (file.is_regular_file()) { EXPECT_EQ(bytes_of(file.path().string()).find(secret), std::string::npos) << file.path(); }

    auto data = open_production_data({.directory = directory_, .key_file = key_file_}, {});
    EXPECT_EQ(data.made_by, "init");
    data.engine->read([&](db::Transaction& tx) {
        const auto account = store::find_account(tx, std::string(printed.at("AccountId").as_string()));
        ASSERT_TRUE(account);
        EXPECT_EQ(account->standing, store::standing_management);
        EXPECT_EQ(account->enterprise_name, "Example Ltd");
        EXPECT_EQ(account->enterprise_state, store::enterprise_verified);
        EXPECT_TRUE(store::find_directory(tx, std::string(printed.at("ResourceDirectoryId").as_string())));
        const auto key = store::find_access_key(tx, std::string(printed.at("AccessKeyId").as_string()));
        ASSERT_TRUE(key);
        EXPECT_TRUE(data.ring.open(keys::Purpose::access_key_secret, key->secret_sealed, key->access_key_id)->same_as(secret));
        EXPECT_EQ(store::audit_events_after(tx, 0, 100).size(), 3u) << "account, directory, key";
    });
    data.engine->close();
}

TEST_F(InitTest, RefusesADatabaseThatIsThere) {
    run();
    const auto before = bytes_of(directory_ + "/openrd.db");
    try {
        init(command());
        FAIL() << "made another";
    } catch (const Failure& failure) { EXPECT_NE(std::string(failure.what()).find("already"), std::string::npos) << failure.what(); }
    EXPECT_EQ(bytes_of(directory_ + "/openrd.db"), before);
}

TEST_F(InitTest, UsesAKeyFileThatIsThere) {
    const auto fingerprint = keys::Ring::create(key_file_).fingerprint();
    run();
    auto data = open_production_data({.directory = directory_, .key_file = key_file_}, {});
    EXPECT_EQ(data.ring.fingerprint(), fingerprint);
    data.engine->close();
}

TEST_F(InitTest, LeavesNothingWhenItFails) {
    EXPECT_THROW(make_data({.directory = directory_, .key_file = key_file_}, {}, [](db::Transaction&, const keys::Ring&) { throw std::runtime_error("cut off"); }),
                 std::runtime_error);
    EXPECT_FALSE(std::filesystem::exists(directory_));
    EXPECT_FALSE(std::filesystem::exists(key_file_));
}

TEST_F(InitTest, OfSeveralAtOnceLetsOneWin) {
    constexpr int all = 4;
    std::vector<pid_t> children;
    for (int i = 0; i < all; ++i) {
        const auto child = ::fork();
        if (child == 0) {
            if (!std::freopen((root_ + "/out" + std::to_string(i)).c_str(), "w", stdout)) ::_exit(9);
            int status = 3;
            try {
                status = init(command());
            } catch (const std::exception&) { status = 2; }
            std::fflush(stdout);
            ::_exit(status);
        }
        children.push_back(child);
    }
    int won = 0, lost = 0;
    for (const auto child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) ++won;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 2) ++lost;
    }
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, all - 1);
    auto data = open_production_data({.directory = directory_, .key_file = key_file_}, {});
    std::size_t accounts = 0;
    data.engine->read([&](db::Transaction& tx) { accounts = store::list_accounts(tx, "", 10).size(); });
    data.engine->close();
    EXPECT_EQ(accounts, 1u);
}

TEST_F(InitTest, RefusesEmptyNames) {
    auto nameless = command();
    nameless.enterprise_name.clear();
    EXPECT_THROW(init(nameless), Failure);
    EXPECT_FALSE(std::filesystem::exists(key_file_));
}

TEST_F(InitTest, SandboxAndProductionDoNotMix) {
    run();
    EXPECT_THROW(open_sandbox_data({.directory = directory_, .key_file = key_file_}, false, {}, base::Clock()), Failure);
    const DataPlace sandbox{.directory = root_ + "/sandbox"};
    open_sandbox_data(sandbox, false, {}, base::Clock()).engine->close();
    EXPECT_THROW(open_production_data(sandbox, {}), Failure);
}

}  // namespace
}  // namespace openrd
