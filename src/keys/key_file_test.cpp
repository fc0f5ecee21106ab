#include "keys/key_file.hpp"

#include "keys/ring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace openrd::keys {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class KeyFile : public testing::Test {
  protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "openrd-keys-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    void TearDown() override { fs::remove_all(folder_); }

    std::string path(const std::string& name = "openrd.key") const { return (folder_ / name).string(); }
    void write(const std::string& to, std::size_t bytes, mode_t mode) const {
        std::ofstream(to, std::ios::binary) << std::string(bytes, 'k');
        ASSERT_EQ(chmod(to.c_str(), mode), 0);
    }
    // The one line that loading is refused with.
    static std::string why_refused(const std::string& path) {
        try {
            (void)Ring::load(path);
        } catch (const FileError& error) { return error.what(); }
        return "(taken)";
    }

    fs::path folder_;
};

TEST_F(KeyFile, IsMadeOnceAndReadAgain) {
    const auto made = Ring::create(path());
    EXPECT_EQ(Ring::load(path()).fingerprint(), made.fingerprint());
    EXPECT_EQ(fs::file_size(path()), 32u);
    struct stat facts {};
    ASSERT_EQ(stat(path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777u, 0600u);
}

TEST_F(KeyFile, IsNeverOverwritten) {
    const auto first = Ring::create(path());
    EXPECT_THROW((void)Ring::create(path()), FileError);
    EXPECT_EQ(Ring::load(path()).fingerprint(), first.fingerprint());
    fs::create_symlink(path("nowhere"), path("link"));
    EXPECT_THROW((void)Ring::create(path("link")), FileError);
    EXPECT_FALSE(fs::exists(path("nowhere")));
}

TEST_F(KeyFile, HasAnotherRootEachTime) { EXPECT_NE(Ring::create(path("a")).fingerprint(), Ring::create(path("b")).fingerprint()); }

TEST_F(KeyFile, LeavesNothingElseBehind) {
    (void)Ring::create(path());
    EXPECT_THROW((void)Ring::create(path()), FileError);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(KeyFile, IsMadePrivateWhateverTheUmask) {
    const auto before = umask(0777);
    EXPECT_NO_THROW((void)Ring::create(path()));
    umask(before);
    EXPECT_NO_THROW((void)Ring::load(path()));
}

TEST_F(KeyFile, CannotBeMadeWhereThereIsNoFolder) {
    try {
        (void)Ring::create(path("missing/openrd.key"));
        FAIL() << "made a key file in no folder";
    } catch (const FileError& error) { EXPECT_THAT(error.what(), AllOf(StartsWith("key file " + path("missing/openrd.key") + ": cannot be made: "), Not(HasSubstr("\n")))); }
}

Roots two_roots() {
    Roots roots;
    roots.push_back({.id = 1, .bytes = base::Secret(std::string(root_bytes, 'k'))});
    roots.push_back({.id = 3, .bytes = base::Secret(std::string(root_bytes, 'K'))});
    return roots;
}

TEST_F(KeyFile, WithSeveralRootsIsReplacedInOneStep) {
    write(path("real"), 32, 0400);
    fs::create_symlink(path("real"), path());
    const auto before = Ring::load(path()).fingerprint();
    replace_key_file(path(), two_roots());
    EXPECT_TRUE(fs::is_symlink(path())) << "the file itself is replaced";
    const auto ring = Ring::load(path());
    EXPECT_THAT(ring.ids(), testing::ElementsAre(1u, 3u));
    EXPECT_EQ(ring.fingerprint(), before) << "of the oldest root";
    struct stat facts {};
    ASSERT_EQ(stat(path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777u, 0400u);
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 2);
    EXPECT_THROW(replace_key_file(path("missing"), two_roots()), FileError);
}

TEST_F(KeyFile, ThatIsNotWholeIsRefused) {
    (void)Ring::create(path());
    replace_key_file(path(), two_roots());
    std::ifstream in(path(), std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto put = [&](const std::string& bytes) {
        std::ofstream(path(), std::ios::binary | std::ios::trunc) << bytes;
        return why_refused(path());
    };
    EXPECT_EQ(put(whole), "(taken)");
    for (std::size_t i = 0; i < whole.size(); ++i) {
        EXPECT_NE(put(whole.substr(0, i)), i == root_bytes ? "" : "(taken)") << i;
        auto changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_NE(put(changed), "(taken)") << i;
    }
}

TEST_F(KeyFile, MayBeReadOnly) {
    write(path(), 32, 0400);
    EXPECT_NO_THROW((void)Ring::load(path()));
}

TEST_F(KeyFile, MayBeALinkToARegularFile) {
    write(path("real"), 32, 0400);  // mounted secrets are links
    fs::create_symlink(path("real"), path());
    EXPECT_NO_THROW((void)Ring::load(path()));
}

TEST_F(KeyFile, ThatIsMissingIsRefused) { EXPECT_EQ(why_refused(path()), "key file " + path() + ": there is no such file"); }

// An access list stands behind the group's bit, and lets the service's user read.
TEST_F(KeyFile, MayBeACredentialOfSystemd) {
    write(path(), 32, 0440);
    if (::geteuid() == 0) {
        EXPECT_NO_THROW((void)Ring::load(path()));
    } else {
        EXPECT_THAT(why_refused(path()), EndsWith("which must be 0600 or 0400")) << "not root's";
    }
}

TEST_F(KeyFile, ThatOthersCanReadIsRefused) {
    for (const mode_t mode : {0644u, 0640u, 0604u, 0660u, 0666u, 0700u, 0500u, 04600u, 0601u}) {
        write(path(), 32, mode);
        EXPECT_THAT(why_refused(path()), EndsWith("which must be 0600 or 0400")) << std::oct << mode;
    }
    EXPECT_THAT(why_refused(path()), HasSubstr("has mode 0601"));
}

TEST_F(KeyFile, OfAnotherLengthIsRefused) {
    for (const std::size_t bytes : {0u, 1u, 31u, 33u, 64u}) {
        write(path(), bytes, 0600);
        EXPECT_THAT(why_refused(path()), EndsWith("has " + std::to_string(bytes) + " bytes, not 32"));
    }
}

TEST_F(KeyFile, ThatIsNoRegularFileIsRefused) {
    EXPECT_EQ(why_refused(folder_.string()), "key file " + folder_.string() + ": is not a regular file");
    ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
    EXPECT_EQ(why_refused(path("pipe")), "key file " + path("pipe") + ": is not a regular file");
    EXPECT_EQ(why_refused("/dev/zero"), "key file /dev/zero: is not a regular file");
}

}  // namespace
}  // namespace openrd::keys
