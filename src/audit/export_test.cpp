#include "audit/export.hpp"

#include "audit/testing.hpp"
#include "base/text.hpp"
#include "store/everything.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <map>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::Exported;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::Log;
using testing::origin;
using testing::read_file;
using testing::TemporaryDirectory;
using testing::write_file;

std::map<std::string, std::string> contents(const fs::path& directory) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(directory))
        if (entry.is_regular_file()) files[fs::relative(entry.path(), directory).string()] = read_file(entry.path());
    return files;
}

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::string refusal(Log& log, const fs::path& out) {
    try {
        log.export_to(out);
    } catch (const ExportError& error) { return error.what(); }
    return "exported";
}

TEST(Export, HoldsTheEntriesTheirHashesTheCheckpointsAndTheKey) {
    Log log;
    log.append(3);
    log.seal();
    log.append(4);
    const TemporaryDirectory directory;
    const auto report = log.export_to(directory / "out");
    EXPECT_EQ(report.entries, 7U);
    EXPECT_EQ(report.sealed, 7U);
    EXPECT_EQ(report.checkpoints, 2U);
    EXPECT_EQ(report.added, 7U);
    EXPECT_THAT(report.warnings, IsEmpty());
    std::string entries, leaves;
    for (const auto& event : log.events()) {
        entries += event.body + "\n";
        leaves += base::hex(bytes_of(leaf_hash(event.body))) + "\n";
    }
    EXPECT_THAT(contents(directory / "out"),
                ElementsAre(std::pair("audit.pub", verifier_key(log.ring, origin).text() + "\n"), std::pair("checkpoints/3.txt", log.checkpoints()[0].note),
                            std::pair("checkpoints/7.txt", log.checkpoints()[1].note), std::pair("leaves/000000.sha256", leaves), std::pair("log/000000.ndjson", entries)));
    EXPECT_THAT(names_in(directory.path()), ElementsAre("out")) << "nothing is left beside it";
}

TEST(Export, SealsFirstSoThatEveryEntryIsCovered) {
    Log log;
    log.append(5);
    ASSERT_TRUE(log.checkpoints().empty());
    const Exported exported(log);
    EXPECT_EQ(log.checkpoints().size(), 1U);
    const auto report = exported.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.sealed, 5U);
    EXPECT_EQ(report.unsealed, 0U);
}

TEST(Export, OfAnEmptyLogSaysThatItIsEmpty) {
    Log log;
    const Exported exported(log);
    EXPECT_THAT(names_in(exported.out / "checkpoints"), ElementsAre("0.txt"));
    const auto report = exported.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.entries, 0U);
    log.append(2);
    log.export_to(exported.out);
    EXPECT_TRUE(exported.verify().ok());
    EXPECT_THAT(names_in(exported.out / "checkpoints"), ElementsAre("0.txt", "2.txt"));
}

TEST(Export, BeginsAnotherFileAfterSoManyEntries) {
    Log log;
    for (const int size : {9, 10, 11}) {
        const TemporaryDirectory directory;
        log.append(size - static_cast<int>(log.events().size()));
        log.export_to(directory / "out", 5);
        const auto files = size <= 10 ? std::vector<std::string>{"000000.ndjson", "000001.ndjson"} : std::vector<std::string>{"000000.ndjson", "000001.ndjson", "000002.ndjson"};
        EXPECT_EQ(names_in(directory / "out" / "log"), files);
        EXPECT_EQ(names_in(directory / "out" / "leaves").size(), files.size());
        EXPECT_EQ(lines_of(directory / "out" / "log" / "000000.ndjson").size(), 5U);
        EXPECT_EQ(lines_of(directory / "out" / "log" / "000001.ndjson").front(), Log::body(6));
    }
}

TEST(Export, ExtendsAnOlderOneOfTheSameLog) {
    Log log;
    log.append(12);
    const Exported exported(log, 5);
    const auto before = contents(exported.out);
    log.append(6);
    log.seal();
    log.append(2);
    const auto report = log.export_to(exported.out, 5);
    EXPECT_EQ(report.entries, 20U);
    EXPECT_EQ(report.added, 8U);
    const TemporaryDirectory fresh;
    log.export_to(fresh / "out", 5);
    EXPECT_EQ(contents(exported.out), contents(fresh / "out"));
    for (const auto& [name, text] : before) EXPECT_THAT(read_file(exported.out / name), ::testing::StartsWith(text)) << name;
    EXPECT_THAT(names_in(exported.directory.path()), ElementsAre("kept.pub", "out"));
    const auto verified = exported.verify();
    EXPECT_TRUE(verified.ok()) << verified.text();
    EXPECT_EQ(verified.checkpoints, 3U);
}

TEST(Export, TwiceWithoutAnythingNewChangesNothing) {
    Log log;
    log.append(4);
    const Exported exported(log);
    const auto before = contents(exported.out);
    EXPECT_EQ(log.export_to(exported.out).added, 0U);
    EXPECT_EQ(contents(exported.out), before);
}

TEST(Export, KeepsWhoMayReadTheOlderOne) {
    Log log;
    log.append(1);
    const Exported exported(log);
    EXPECT_EQ(fs::status(exported.out).permissions(), fs::perms::owner_all);
    fs::permissions(exported.out, fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec);
    log.append(1);
    log.export_to(exported.out);
    EXPECT_EQ(fs::status(exported.out).permissions(), fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec);
}

// A checkpoint that a witness has signed as well, and one that came from the second host.
TEST(Export, KeepsTheCheckpointsThatWereThere) {
    Log log;
    log.append(4);
    const Exported exported(log);
    const auto cosigned = read_file(exported.out / "checkpoints" / "4.txt") + "— witness.example.org " + base::base64(std::string(76, 'w')) + "\n";
    write_file(exported.out / "checkpoints" / "4.txt", cosigned);
    Tree tree;
    for (int i = 1; i <= 2; ++i) tree.add(leaf_hash(Log::body(i)));
    write_file(exported.out / "checkpoints" / "mailed.txt", sign({.origin = origin, .size = 2, .root = tree.root()}, log.ring));
    log.append(4);
    EXPECT_EQ(log.export_to(exported.out).checkpoints, 3U);
    EXPECT_EQ(read_file(exported.out / "checkpoints" / "4.txt"), cosigned);
    EXPECT_THAT(names_in(exported.out / "checkpoints"), ElementsAre("4.txt", "8.txt", "mailed.txt"));
    EXPECT_TRUE(exported.verify().ok());
}

TEST(Export, IntoAnEmptyDirectoryIsMade) {
    Log log;
    log.append(1);
    const TemporaryDirectory directory;
    fs::create_directory(directory / "out");
    log.export_to((directory / "out").string() + "/");
    EXPECT_TRUE(fs::exists(directory / "out" / "log" / "000000.ndjson"));
}

// What each spoiling of an older export is answered with; it is left as it was.
TEST(Export, LeavesAnythingElseAlone) {
    Log log;
    log.append(6);
    const auto out = [](const Exported& e, const char* name) { return e.out / name; };
    const std::vector<std::pair<std::function<void(const Exported&)>, std::string>> cases = {
        {[&](const Exported& e) { write_file(out(e, "notes.txt"), "mine"); }, "notes.txt does not belong to an export"},
        {[&](const Exported& e) { write_file(out(e, "log/mine"), "mine"); }, "log/mine does not belong to an export"},
        {[&](const Exported& e) { fs::create_directory(out(e, "checkpoints/sub")); }, "checkpoints/sub does not belong to an export"},
        {[&](const Exported& e) { fs::create_symlink("/etc/passwd", out(e, "log/000001.ndjson")); }, "log/000001.ndjson does not belong to an export"},
        {[&](const Exported& e) { fs::remove(out(e, "audit.pub")); }, "it is not an export of an audit log: audit.pub cannot be read: No such file or directory"},
        {[&](const Exported& e) { write_file(out(e, "audit.pub"), "garbage"); }, "audit.pub: not a verifier key: it is written origin+key id+key"},
        {[&](const Exported& e) { write_file(out(e, "audit.pub"), verifier_key(log.ring, "other.example.com").text()); },
         "it is the export of another log, other.example.com; this one is log.example.com/audit"},
        {[&](const Exported& e) { write_file(out(e, "audit.pub"), verifier_key(testing::ring_of('o'), origin).text()); },
         "it is the export of another log log.example.com/audit, which was signed with another key"},
        {[&](const Exported& e) { write_file(out(e, "checkpoints/6.txt"), "garbage"); }, "checkpoints/6.txt: not a signed note: text, an empty line and signatures are expected"},
        {[&](const Exported& e) { write_file(out(e, "checkpoints/9.txt"), sign({.origin = origin, .size = 9, .root = {}}, log.ring)); },
         "its checkpoint of 9 entries is signed, and the log in the database has fewer"},
        {[&](const Exported& e) { write_file(out(e, "checkpoints/3.txt"), sign({.origin = origin, .size = 3, .root = {}}, log.ring)); },
         "its checkpoint of 3 entries is signed, and the log in the database does not fit it"},
        {[&](const Exported& e) { e.edit_lines(e.log, [](auto& lines) { lines[3] += " "; }); },
         "it is not an older export of this log: log/000000.ndjson line 4 is not entry 4 of the database"},
        {[&](const Exported& e) { e.edit_lines(e.log, [](auto& lines) { lines.push_back("more"); }); },
         "it is not an older export of this log: it goes on after the 6 entries of the database"},
        {[&](const Exported& e) { write_file(e.log, read_file(e.log).substr(0, 20)); },
         "it is not an older export of this log: log/000000.ndjson line 1 is not entry 1 of the database"},
    };
    for (const auto& [spoil, why] : cases) {
        const Exported exported(log);
        spoil(exported);
        const auto before = contents(exported.out);
        EXPECT_EQ(refusal(log, exported.out), exported.out.string() + " is left as it is: " + why);
        EXPECT_EQ(contents(exported.out), before) << why;
        EXPECT_THAT(names_in(exported.directory.path()), ElementsAre("kept.pub", "out")) << why;
    }
}

TEST(Export, DoesNotReplaceAFile) {
    Log log;
    const TemporaryDirectory directory;
    write_file(directory / "out", "mine");
    EXPECT_EQ(refusal(log, directory / "out"), (directory / "out").string() + " is left as it is: it is not a directory");
    EXPECT_EQ(read_file(directory / "out"), "mine");
}

TEST(Export, NeedsADirectoryToBePutInto) {
    Log log;
    const TemporaryDirectory directory;
    EXPECT_EQ(refusal(log, directory / "no" / "out"), "there is no directory " + (directory / "no").string());
    EXPECT_EQ(refusal(log, ""), "'' cannot be the directory of an export");
    EXPECT_EQ(refusal(log, "/"), "'/' cannot be the directory of an export");
    fs::create_directory(directory / "full");
    write_file(directory / "full" / "out", "");
    EXPECT_THAT(refusal(log, directory / "full" / "out" / "deeper"), HasSubstr("there is no directory"));
}

// No file of this process may grow beyond so many bytes: to a writer it looks like a full disk.
class SmallFiles {
  public:
    explicit SmallFiles(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit small{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }
    SmallFiles(const SmallFiles&) = delete;
    SmallFiles& operator=(const SmallFiles&) = delete;
    ~SmallFiles() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};

TEST(Export, LeavesTheOlderOneAndNothingElseWhenTheDiskIsFull) {
    Log log;
    log.append(10);
    const Exported exported(log);
    const auto before = contents(exported.out);
    log.append(3000);
    log.seal();
    {
        const SmallFiles full(16 * 1024);
        EXPECT_THAT(refusal(log, exported.out), HasSubstr("log/000000.ndjson cannot be written"));
    }
    EXPECT_EQ(contents(exported.out), before);
    EXPECT_THAT(names_in(exported.directory.path()), ElementsAre("kept.pub", "out"));
    EXPECT_EQ(log.export_to(exported.out).added, 3000U);
}

TEST(Export, RefusesALogThatWasBegunAnew) {
    Log log;
    log.append(8);
    const Exported exported(log);
    log.engine->write_and_wait([](db::Transaction& tx) { store::delete_everything(tx); });
    log.append_body("of another history");
    EXPECT_THAT(refusal(log, exported.out), HasSubstr("log/000000.ndjson line 1 is not entry 1 of the database"));
}

// The evidence of damage in the database is exported, not hidden.
TEST(Export, OfADamagedLogIsMadeAndSaysSo) {
    static constexpr db::Sql change{"UPDATE audit_events SET body = 'changed' WHERE arrival = 2"};
    static constexpr db::Sql remove{"DELETE FROM audit_events WHERE arrival = 3"};
    static constexpr db::Sql note{"UPDATE checkpoints SET note = 'garbage' WHERE tree_size = 4"};
    const std::vector<std::pair<const db::Sql*, std::vector<std::string>>> cases = {
        {&change, {"the log in the database does not fit its checkpoint of 4 entries: it was changed after it was signed"}},
        {&remove,
         {"entry 3 is missing from the database: entry 4 follows entry 2", "the log in the database does not fit its checkpoint of 4 entries: it was changed after it was signed"}},
        {&note, {"the checkpoint of 4 entries in the database is not one of log.example.com/audit: not a signed note: text, an empty line and signatures are expected"}},
    };
    for (const auto& [damage, warnings] : cases) {
        Log log;
        log.append(4);
        log.seal();
        log.append(4);
        log.seal();
        log.run(*damage);
        const TemporaryDirectory directory;
        const auto report = log.export_to(directory / "out");
        EXPECT_EQ(report.warnings, warnings) << damage->text;
        EXPECT_FALSE(verify(directory / "out", directory / "out" / "audit.pub").ok()) << damage->text;
    }
}

TEST(Export, OfALogThatCannotBeSealedHasTheRestUnsealed) {
    Log log;
    log.append(4);
    log.seal();
    log.append(4);
    static constexpr db::Sql remove{"DELETE FROM audit_events WHERE arrival = 6"};
    log.run(remove);
    const Exported exported(log);
    const auto report = exported.verify();
    EXPECT_EQ(report.entries, 7U);
    EXPECT_EQ(report.sealed, 4U);
    EXPECT_EQ(report.unsealed, 3U);
}

// The key of a subject is destroyed in its own table: the log holds ciphertext, so that it does not change.
TEST(Export, OfALogWithADestroyedSubjectStillVerifies) {
    static constexpr db::Sql add{"INSERT INTO subjects (account_id, phone_index, subject_ref, key_sealed, created_at_ms) VALUES ('1', x'01', 'sub-1', x'02', 1)"};
    static constexpr db::Sql destroy{"UPDATE subjects SET key_sealed = NULL, destroyed_at_ms = 2 WHERE subject_ref = 'sub-1'"};
    Log log;
    log.run(add);
    log.append_body(R"({"eventId":"1","subject_ref":"sub-1","pii":"c2VhbGVk"})");
    const Exported exported(log);
    const auto before = read_file(exported.log);
    log.run(destroy);
    log.append_body(R"({"eventId":"2","eventName":"SubjectErased","subject_ref":"sub-1"})");
    EXPECT_EQ(log.export_to(exported.out).added, 1U);
    EXPECT_THAT(read_file(exported.log), ::testing::StartsWith(before));
    EXPECT_TRUE(exported.verify().ok()) << exported.verify().text();
}

}  // namespace
}  // namespace openrd::audit
