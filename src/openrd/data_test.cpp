#include "openrd/data.hpp"

#include "db/open.hpp"
#include "keys/key_file.hpp"
#include "openrd/failure.hpp"
#include "openrd/process.hpp"
#include "store/accounts.hpp"
#include "store/facts.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace openrd {
namespace {

class DataTest : public ::testing::Test {
  protected:
    ~DataTest() override { std::filesystem::remove_all(root_); }

    static std::string make_root() {
        std::string path = ::testing::TempDir() + "data_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    Data open(const std::string& key_file = {}) const { return open_sandbox_data({.directory = directory_, .key_file = key_file}, false, settings(), base::Clock()); }
    static base::Settings settings() {
        base::Settings all;
        all.audit.origin = "test.example/audit";
        return all;
    }
    void make() const { open().engine->close(); }
    std::string key_file() const { return directory_ + "/openrd.key"; }

    // Names and sizes: what a refusal must not change.
    std::set<std::string> seen() const {
        std::set<std::string> files;
        if (!std::filesystem::exists(directory_)) return files;
        for (const auto& file : std::filesystem::directory_iterator(directory_))
            if (!file.path().string().ends_with("-shm") && !file.path().string().ends_with("-wal"))
                files.insert(file.path().filename().string() + " " + std::to_string(file.file_size()));
        return files;
    }
    void expect_refused(const std::string& word, const std::string& key_file = {}) const {
        const auto before = seen();
        try {
            open(key_file).engine->close();
            ADD_FAILURE() << "taken, in spite of " << word;
        } catch (const std::exception& error) {
            EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
            EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one line";
        }
        EXPECT_EQ(seen(), before) << "nothing is touched";
    }

    std::string root_ = make_root();
    std::string directory_ = root_ + "/data";
};

TEST_F(DataTest, IsMadeWithItsKeyAndTheSeed) {
    auto data = open();
    struct stat facts {};
    ASSERT_EQ(::stat(key_file().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777u, 0600u);
    EXPECT_EQ(facts.st_size, 32);
    EXPECT_EQ(data.audit_origin, "test.example/audit");
    EXPECT_EQ(data.made_by, "sandbox");
    EXPECT_EQ(data.ring.fingerprint(), keys::Ring::load(key_file()).fingerprint());
    data.engine->read([](db::Transaction& tx) { EXPECT_TRUE(store::find_account(tx, "1000000000000001")); });
    data.engine->close();
}

TEST_F(DataTest, IsFoundAgain) {
    make();
    auto data = open();
    data.engine->write_and_wait([](db::Transaction& tx) { store::put_fact(tx, "kept", "yes"); });
    data.engine->close();
    auto again = open_existing_data({.directory = directory_, .key_file = {}});
    again.engine->read([](db::Transaction& tx) { EXPECT_EQ(store::find_fact(tx, "kept"), "yes"); });
    again.engine->close();
}

TEST_F(DataTest, TakesAKeyFileThatWasThereFirst) {
    const auto elsewhere = root_ + "/the.key";
    const auto fingerprint = keys::Ring::create(elsewhere).fingerprint();
    auto data = open(elsewhere);
    EXPECT_EQ(data.ring.fingerprint(), fingerprint);
    EXPECT_FALSE(std::filesystem::exists(key_file()));
    data.engine->close();
}

TEST_F(DataTest, TakesAKeyFileWhoseFirstRootIsRetired) {
    const auto elsewhere = root_ + "/the.key";
    keys::create_key_file(elsewhere);
    keys::Roots roots;
    for (const std::uint32_t id : {2U, 3U}) roots.push_back({.id = id, .bytes = base::Secret(std::string(keys::root_bytes, static_cast<char>('0' + id)))});
    keys::replace_key_file(elsewhere, roots);
    open(elsewhere).engine->close();
    auto again = open(elsewhere);
    EXPECT_FALSE(again.ring.trouble());
    EXPECT_EQ(again.ring.uses().encryption, 3u) << "the newest";
    again.engine->close();
}

TEST_F(DataTest, MakesNothingForAKeyFileThatIsNotThere) {
    expect_refused("no such file", root_ + "/typo.key");
    EXPECT_FALSE(std::filesystem::exists(directory_));
    EXPECT_FALSE(std::filesystem::exists(root_ + "/typo.key"));
}

TEST_F(DataTest, MakesNothingForAKeyFileThatOthersCanRead) {
    const auto path = root_ + "/open.key";
    keys::Ring::create(path);
    std::filesystem::permissions(path, std::filesystem::perms(0644));
    expect_refused("0644", path);
    EXPECT_FALSE(std::filesystem::exists(directory_));
}

TEST_F(DataTest, RefusesADatabaseWithoutItsKeyFile) {
    make();
    std::filesystem::remove(key_file());
    expect_refused("is missing");
    EXPECT_FALSE(std::filesystem::exists(key_file())) << "no new key for old data";
}

TEST_F(DataTest, RefusesTheKeyFileOfAnother) {
    make();
    const auto other = root_ + "/other.key";
    keys::Ring::create(other);
    expect_refused("is not the one", other);
    EXPECT_THROW(open_existing_data({.directory = directory_, .key_file = other}), Failure);
}

TEST_F(DataTest, RefusesADatabaseThatInitMade) {
    make();
    auto data = open();
    data.engine->write_and_wait([](db::Transaction& tx) { store::put_fact(tx, store::fact_made_by, "init"); });
    data.engine->close();
    expect_refused("was not made by the sandbox");
}

TEST_F(DataTest, RefusesADamagedDatabase) {
    make();
    std::ofstream(directory_ + "/openrd.db", std::ios::binary | std::ios::trunc) << "this is no database, whatever its name says";
    expect_refused("damaged");
}

TEST_F(DataTest, OfACommandMustBeThere) {
    EXPECT_THROW(open_existing_data({.directory = directory_, .key_file = {}}), Failure);
    EXPECT_FALSE(std::filesystem::exists(directory_));
}

TEST_F(DataTest, HasOneServerAtATime) {
    make();
    {
        const ServerLock lock(directory_);
        EXPECT_THROW(ServerLock{directory_}, Failure);
    }
    const ServerLock again(directory_);
}

TEST_F(DataTest, IsLockedBeforeThereIsAnyAndLeavesNothingWhenItIsNotMade) {
    {
        const ServerLock lock(directory_, ServerLock::NewDirectory::made);
        EXPECT_THROW((ServerLock{directory_, ServerLock::NewDirectory::made}), Failure);
    }
    EXPECT_FALSE(std::filesystem::exists(directory_));
    {
        const ServerLock lock(directory_, ServerLock::NewDirectory::made);
        make();
    }
    EXPECT_TRUE(std::filesystem::exists(directory_ + "/openrd.db"));
    EXPECT_THROW(ServerLock{root_ + "/nowhere"}, Failure);
    EXPECT_FALSE(std::filesystem::exists(root_ + "/nowhere"));
}

TEST_F(DataTest, OfMemoryGoesWithItsOwner) {
    std::string path;
    {
        const PrivateDirectory memory;
        path = memory.path();
        struct stat facts {};
        ASSERT_EQ(::stat(path.c_str(), &facts), 0);
        EXPECT_EQ(facts.st_mode & 07777u, 0700u);
        std::ofstream(path + "/file") << "x";
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(DataTest, ReadyFileIsThereWhileTheServerIs) {
    const auto path = root_ + "/ready";
    std::ofstream(path) << "old";
    {
        ReadyFile file(path);
        EXPECT_FALSE(std::filesystem::exists(path)) << "an old one is not believed";
        file.write("127.0.0.1:4711");
        std::ifstream in(path);
        std::string line;
        std::getline(in, line);
        EXPECT_EQ(line, "127.0.0.1:4711");
    }
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_THROW(ReadyFile{root_ + "/nowhere/ready"}, Failure);
}

TEST(TryToListen, SaysWhatIsInTheWay) {
    EXPECT_NO_THROW(try_to_listen({.address = "127.0.0.1", .port = 0}));
    try {
        try_to_listen({.address = "192.0.2.1", .port = 80});  // of nobody: RFC 5737
        ADD_FAILURE();
    } catch (const std::system_error& error) { EXPECT_NE(std::string(error.what()).find("192.0.2.1:80"), std::string::npos) << error.what(); }
}

}  // namespace
}  // namespace openrd
