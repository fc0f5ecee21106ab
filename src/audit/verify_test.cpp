#include "audit/verify.hpp"

#include "audit/testing.hpp"
#include "base/identifiers.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <sys/stat.h>

#include <random>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::Exported;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Log;
using testing::origin;
using testing::read_file;
using ::testing::StartsWith;
using testing::write_file;
using Lines = std::vector<std::string>;

// 30 entries with checkpoints of 10, 20 and 30.
class Verify : public ::testing::Test {
  protected:
    Verify()
        : exported([this]() -> Log& {
              for (int i = 0; i < 3; ++i) {
                  log.append(10);
                  log.seal();
              }
              return log;
          }()) {}
    void edit_log(const std::function<void(Lines&)>& edit) { exported.edit_lines(exported.log, edit); }
    void edit_leaves(const std::function<void(Lines&)>& edit) { exported.edit_lines(exported.leaves, edit); }
    fs::path checkpoint(int size) { return exported.out / "checkpoints" / fmt::format("{}.txt", size); }

    Log log;
    Exported exported;
};

TEST_F(Verify, FindsNothingWrongWithAnExport) {
    const auto report = exported.verify();
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_THAT(report.notes, IsEmpty());
    EXPECT_EQ(report.origin, origin);
    EXPECT_EQ(report.entries, 30U);
    EXPECT_EQ(report.checkpoints, 3U);
    EXPECT_EQ(report.sealed, 30U);
    EXPECT_EQ(report.unsealed, 0U);
    EXPECT_FALSE(report.first_damaged);
    EXPECT_FALSE(report.damaged_range);
    EXPECT_EQ(report.text(), "OK: 30 entries, 3 checkpoints of log.example.com/audit, the last one of 30 entries\n");
}

TEST_F(Verify, NamesTheEntryInWhichOneLetterWasChanged) {
    edit_log([](Lines& lines) { lines[16][5] ^= 1; });
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 17U);
    EXPECT_FALSE(report.damaged_range);
    EXPECT_THAT(report.problems, ElementsAre("entry 17 is not what was signed (log/000000.ndjson line 17)"));
    EXPECT_EQ(report.text(), "problem: entry 17 is not what was signed (log/000000.ndjson line 17)\nFAILED: 30 entries, 3 valid checkpoints of log.example.com/audit\n");
}

TEST_F(Verify, NamesTheFirstOfSeveralChangedEntries) {
    edit_log([](Lines& lines) { lines[28] += "x", lines[12] += "x", lines[25] += "x"; });
    EXPECT_EQ(exported.verify().first_damaged, 13U);
}

TEST_F(Verify, NamesTheEntryThatWasRemoved) {
    edit_log([](Lines& lines) { lines.erase(lines.begin() + 4); });
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 5U);
    EXPECT_THAT(report.problems,
                ElementsAre("entry 5 was removed: log/000000.ndjson line 5 holds the entry after it", "the log is cut: it has 29 entries, the checkpoint of 30 is signed"));
}

TEST_F(Verify, NamesTheLastEntryButOneThatWasRemoved) {
    edit_log([](Lines& lines) { lines.erase(lines.begin() + 28); });
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 29U);
    EXPECT_THAT(report.problems.front(), StartsWith("entry 29 was removed"));
}

TEST_F(Verify, NamesThePlaceWhereAnEntryWasPutIn) {
    edit_log([](Lines& lines) { lines.insert(lines.begin() + 20, "{}"); });
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 21U);
    EXPECT_THAT(report.problems, ElementsAre("log/000000.ndjson line 21 was put in before entry 21: it was never signed"));
    EXPECT_EQ(report.unsealed, 1U);
}

TEST_F(Verify, NamesTheEntriesThatHaveChangedPlaces) {
    for (const std::size_t at : {0U, 8U, 9U, 28U}) {  // 9 and 10: across a checkpoint
        const Exported fresh(log);
        fresh.edit_lines(fresh.log, [&](Lines& lines) { std::swap(lines[at], lines[at + 1]); });
        const auto report = fresh.verify();
        EXPECT_EQ(report.first_damaged, at + 1);
        EXPECT_THAT(report.problems, ElementsAre(fmt::format("entry {} has changed places with the one after it (log/000000.ndjson line {})", at + 1, at + 1)));
    }
}

TEST_F(Verify, FindsThatTheEndWasCutOff) {
    edit_log([](Lines& lines) { lines.resize(27); });
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 28U);
    EXPECT_THAT(report.problems, ElementsAre("entry 28 and all after it are missing from the log", "the log is cut: it has 27 entries, the checkpoint of 30 is signed"));
}

TEST_F(Verify, FindsThatTheEndWasCutOffWithItsHashes) {
    for (const auto& file : {exported.log, exported.leaves}) exported.edit_lines(file, [](Lines& lines) { lines.resize(20); });
    auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 21U) << "up to 20 the log is proven";
    EXPECT_THAT(report.problems, ElementsAre("the log is cut: it has 20 entries, the checkpoint of 30 is signed"));
    for (const auto& file : {exported.log, exported.leaves}) exported.edit_lines(file, [](Lines& lines) { lines.resize(17); });
    report = exported.verify();
    EXPECT_FALSE(report.first_damaged);
    EXPECT_EQ(report.damaged_range, std::pair(std::uint64_t{11}, std::uint64_t{30})) << "11 to 17 are there, but nothing proves them";
}

TEST_F(Verify, FindsThatTheLogIsEmpty) {
    write_file(exported.log, "");
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 1U);
    EXPECT_EQ(report.entries, 0U);
}

TEST_F(Verify, FindsALastLineWithoutItsEnd) {
    write_file(exported.log, read_file(exported.log).substr(0, read_file(exported.log).size() - 1));
    EXPECT_THAT(exported.verify().problems, ElementsAre("log/000000.ndjson ends in the middle of line 30"));
    write_file(exported.log, read_file(exported.log).substr(0, read_file(exported.log).size() - 9));
    EXPECT_EQ(exported.verify().first_damaged, 30U);
}

TEST_F(Verify, FindsALineBreakThatWasChanged) {
    auto text = read_file(exported.log);
    text.insert(text.find('\n'), "\r");
    write_file(exported.log, text);
    EXPECT_EQ(exported.verify().first_damaged, 1U);
}

TEST_F(Verify, FindsAnEditedLeafHash) {
    edit_leaves([](Lines& lines) { lines[13][0] = lines[13][0] == 'a' ? 'b' : 'a'; });
    const auto report = exported.verify();
    EXPECT_THAT(report.problems, ElementsAre("leaves/000000.sha256 line 14 is not the leaf hash of entry 14; the log itself is right there"));
    EXPECT_FALSE(report.first_damaged);
    EXPECT_FALSE(report.damaged_range);
}

TEST_F(Verify, FindsALeafThatIsNoHash) {
    for (const auto& bad : {std::string(), std::string("zz"), std::string("00"), std::string(63, '0'), std::string(65, '0'), std::string(100'000, 'a')}) {
        edit_leaves([&](Lines& lines) { lines[13] = bad; });
        EXPECT_THAT(exported.verify().problems,
                    ElementsAre("leaves/000000.sha256 line 14 is not the leaf hash of entry 14; the log itself is right there", "leaves/000000.sha256 line 14 is not a hash"));
    }
}

// A leaf hash spoiled before the first checkpoint does not take away what the later ones prove.
TEST_F(Verify, NamesAChangedEntryThoughLeavesBeforeItWereEdited) {
    edit_leaves([](Lines& lines) { lines[3] = std::string(64, '0'); });
    edit_log([](Lines& lines) { lines[16] += " "; });
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 17U);
    EXPECT_THAT(report.problems, ElementsAre("entry 17 is not what was signed (log/000000.ndjson line 17)",
                                             "leaves/000000.sha256 line 4 is not the leaf hash of entry 4; the log itself is right there"));
}

TEST_F(Verify, NarrowsItDownToTwoCheckpointsWhenTheLeavesWereForgedToo) {
    edit_log([](Lines& lines) { lines[16] = "forged"; });
    edit_leaves([](Lines& lines) { lines[16] = base::hex(bytes_of(leaf_hash("forged"))); });
    const auto report = exported.verify();
    EXPECT_FALSE(report.first_damaged);
    EXPECT_EQ(report.damaged_range, std::pair(std::uint64_t{11}, std::uint64_t{20}));
    EXPECT_THAT(report.problems, ElementsAre(StartsWith("entries 11 to 20 are not what the checkpoint of 20 entries signed")));
}

TEST_F(Verify, WorksWithoutLeavesButNarrowsDownOnly) {
    fs::remove_all(exported.out / "leaves");
    auto report = exported.verify();
    EXPECT_THAT(report.problems, IsEmpty());
    EXPECT_THAT(report.notes, ElementsAre(StartsWith("leaves is not there")));
    edit_log([](Lines& lines) { lines[3] += " "; });
    report = exported.verify();
    EXPECT_EQ(report.damaged_range, std::pair(std::uint64_t{1}, std::uint64_t{10}));
}

TEST_F(Verify, FindsThatLeavesAreMissing) {
    edit_leaves([](Lines& lines) { lines.resize(7); });
    EXPECT_THAT(exported.verify().problems, ElementsAre("leaves has only 7 hashes of 30 entries"));
    edit_leaves([](Lines& lines) { lines.clear(); });
    EXPECT_THAT(exported.verify().problems, ElementsAre("leaves has only 0 hashes of 30 entries"));
}

TEST_F(Verify, FindsLeavesOfNoEntry) {
    edit_leaves([](Lines& lines) { lines.push_back(std::string(64, '0')); });
    EXPECT_THAT(exported.verify().problems, ElementsAre("leaves has 31 hashes, the log 30 entries"));
}

TEST_F(Verify, FindsACheckpointOfAnotherOrigin) {
    write_file(checkpoint(20), sign({.origin = "other.example.com", .size = 20, .root = {}}, log.ring));
    EXPECT_THAT(exported.verify().problems, ElementsAre("checkpoints/20.txt: signed by somebody else: no signature has the name of this log"));
}

TEST_F(Verify, FindsAForgedSignature) {
    auto note = read_file(checkpoint(20));
    const auto key = verifier_key(log.ring, origin);
    note = note.substr(0, note.find("— ")) + "— log.example.com/audit " + base::base64(key.id() + base::random_bytes(64)) + "\n";
    write_file(checkpoint(20), note);
    const auto report = exported.verify();
    EXPECT_THAT(report.problems, ElementsAre("checkpoints/20.txt: the signature is not valid"));
    EXPECT_EQ(report.checkpoints, 2U);
    EXPECT_FALSE(report.first_damaged);
}

TEST_F(Verify, FindsThatAllWasSignedAgainWithAnotherKey) {
    const auto thief = testing::ring_of('t');
    Tree tree;
    for (int i = 1; i <= 30; ++i) {
        tree.add(leaf_hash(Log::body(i)));
        if (i % 10 == 0) write_file(checkpoint(i), sign({.origin = origin, .size = tree.size(), .root = tree.root()}, thief));
    }
    write_file(exported.out / "audit.pub", verifier_key(thief, origin).text());
    const auto report = exported.verify();
    EXPECT_THAT(report.problems,
                ElementsAre("audit.pub is not the key that this export was to be verified with", HasSubstr(".txt: signed with another key"),
                            HasSubstr(".txt: signed with another key"), HasSubstr(".txt: signed with another key"), "there is no valid checkpoint: nobody vouches for any entry"));
    EXPECT_EQ(report.unsealed, 30U);
}

TEST_F(Verify, FindsACheckpointThatAnotherHistoryHas) {
    write_file(exported.out / "checkpoints" / "kept-elsewhere.txt", sign({.origin = origin, .size = 20, .root = sha256("another history")}, log.ring));
    EXPECT_THAT(exported.verify().problems, ElementsAre("checkpoints/20.txt and checkpoints/kept-elsewhere.txt are both signed but differ: two histories were signed"));
}

// Somebody has set the log back and let it be signed anew: whoever kept the later checkpoint sees it.
TEST_F(Verify, FindsThatAKeptCheckpointIsNotOfThisLog) {
    write_file(exported.out / "checkpoints" / "kept.txt", sign({.origin = origin, .size = 25, .root = sha256("another history")}, log.ring));
    const auto report = exported.verify();
    EXPECT_EQ(report.damaged_range, std::pair(std::uint64_t{21}, std::uint64_t{25}));
    write_file(exported.out / "checkpoints" / "kept.txt", sign({.origin = origin, .size = 31, .root = sha256("another history")}, log.ring));
    EXPECT_THAT(exported.verify().problems, ElementsAre("the log is cut: it has 30 entries, the checkpoint of 31 is signed"));
}

TEST_F(Verify, NeedsACheckpoint) {
    for (const int size : {10, 20, 30}) fs::remove(checkpoint(size));
    EXPECT_THAT(exported.verify().problems, ElementsAre("there is no valid checkpoint: nobody vouches for any entry"));
    write_file(checkpoint(0), sign({.origin = origin, .size = 0, .root = Tree().root()}, log.ring));
    EXPECT_THAT(exported.verify().problems, ElementsAre("only the empty log was signed: nobody vouches for any entry"));
    fs::remove_all(exported.out / "checkpoints");
    EXPECT_THAT(exported.verify().problems, ElementsAre("checkpoints cannot be listed: No such file or directory", "there is no valid checkpoint: nobody vouches for any entry"));
}

TEST_F(Verify, SaysWhichEntriesAreNotSealed) {
    fs::remove(checkpoint(30));
    const auto report = exported.verify();
    EXPECT_TRUE(report.ok()) << report.text();
    EXPECT_EQ(report.sealed, 20U);
    EXPECT_EQ(report.unsealed, 10U);
    EXPECT_THAT(report.notes, ElementsAre("10 entries after the last checkpoint are not sealed: nobody vouches for them"));
    edit_log([](Lines& lines) { lines[24] += "x"; });
    EXPECT_THAT(exported.verify().problems, ElementsAre("leaves/000000.sha256 line 25 is not the leaf hash of log/000000.ndjson line 25, and no checkpoint tells which is right"));
}

TEST_F(Verify, NeedsAKey) {
    const auto missing = verify(exported.out, exported.directory / "nothing");
    EXPECT_THAT(missing.problems, ElementsAre((exported.directory / "nothing").string() + " cannot be read: No such file or directory"));
    write_file(exported.key, "garbage");
    EXPECT_THAT(exported.verify().problems, ElementsAre(exported.key.string() + ": not a verifier key: it is written origin+key id+key"));
    write_file(exported.key, std::string(1'000'000, 'x'));
    EXPECT_THAT(exported.verify().problems, ElementsAre(exported.key.string() + " is too large"));
    EXPECT_THAT(verify(exported.out, exported.out).problems, ElementsAre(exported.out.string() + " cannot be read: not a regular file"));
}

TEST_F(Verify, NeedsADirectory) {
    EXPECT_THAT(verify(exported.directory / "nothing", exported.key).problems, ElementsAre((exported.directory / "nothing").string() + " is not a directory"));
    EXPECT_THAT(verify(exported.log, exported.key).problems, ElementsAre(exported.log.string() + " is not a directory"));
    const testing::TemporaryDirectory empty;
    EXPECT_THAT(verify(empty.path(), exported.key).problems,
                ElementsAre("checkpoints cannot be listed: No such file or directory", "there is no valid checkpoint: nobody vouches for any entry", "log is not there"));
}

TEST(VerifyOfSeveralFiles, NamesTheFileAndItsLine) {
    Log log;
    log.append(23);
    const Exported exported(log, 5);
    EXPECT_TRUE(exported.verify().ok()) << exported.verify().text();
    exported.edit_lines(exported.out / "log" / "000003.ndjson", [](Lines& lines) { lines[1] += "x"; });
    EXPECT_THAT(exported.verify().problems, ElementsAre("entry 17 is not what was signed (log/000003.ndjson line 2)"));
}

TEST(VerifyOfSeveralFiles, FindsAMissingFile) {
    Log log;
    log.append(23);
    for (const auto* name : {"000000", "000002"}) {
        const Exported exported(log, 5);
        fs::remove(exported.out / "log" / (std::string(name) + ".ndjson"));
        const auto report = exported.verify();
        EXPECT_EQ(report.first_damaged, name == std::string("000000") ? 1U : 11U);
        EXPECT_THAT(report.problems, ::testing::Contains(fmt::format("log/{}.ndjson is missing", name)));
    }
    const Exported exported(log, 5);
    fs::remove(exported.out / "leaves" / "000002.sha256");
    EXPECT_THAT(exported.verify().problems, ::testing::Contains("leaves/000002.sha256 is missing"));
    fs::remove(exported.out / "log" / "000004.ndjson");
    EXPECT_EQ(exported.verify().first_damaged, std::nullopt);
    EXPECT_THAT(exported.verify().problems, ::testing::Contains("the log is cut: it has 20 entries, the checkpoint of 23 is signed"));
}

TEST_F(Verify, ReadsNothingThatIsNoFile) {
    fs::remove(exported.log);
    ASSERT_EQ(::mkfifo(exported.log.c_str(), 0600), 0);
    EXPECT_THAT(exported.verify().problems, ::testing::Contains("log/000000.ndjson cannot be read: not a regular file"));
    fs::remove(exported.log);
    fs::create_symlink("/dev/zero", exported.log);
    EXPECT_THAT(exported.verify().problems, ::testing::Contains("log/000000.ndjson cannot be read: not a regular file"));
    ASSERT_EQ(::mkfifo(checkpoint(77).c_str(), 0600), 0);
    EXPECT_THAT(exported.verify().problems, ::testing::Contains("checkpoints/77.txt cannot be read: not a regular file"));
    fs::remove(exported.log);
    fs::create_directory(exported.log);
    EXPECT_THAT(exported.verify().problems, ::testing::Contains("log/000000.ndjson cannot be read: not a regular file"));
}

TEST_F(Verify, SurvivesHugeLinesAndGarbage) {
    edit_log([](Lines& lines) { lines[7] = std::string(20'000'000, 'x'); });
    EXPECT_EQ(exported.verify().first_damaged, 8U);
    write_file(exported.log, std::string(100'000, '\n'));
    EXPECT_EQ(exported.verify().entries, 100'000U);
    EXPECT_EQ(exported.verify().first_damaged, 1U);
    write_file(exported.log, base::random_bytes(1'000'000));
    write_file(exported.leaves, base::random_bytes(1'000'000));
    EXPECT_FALSE(exported.verify().ok());
    write_file(checkpoint(10), base::random_bytes(1'000'000));
    write_file(checkpoint(20), std::string(60'000, '\n'));
    write_file(exported.out / "checkpoints" / "\x1b[2J\xff.txt", "garbage");
    write_file(exported.out / "audit.pub", base::random_bytes(100));
    EXPECT_THAT(exported.verify().problems,
                ::testing::AllOf(::testing::Contains("checkpoints/10.txt is too large"), ::testing::Contains(StartsWith("checkpoints/?[2J?.txt: not a signed note"))));
}

TEST_F(Verify, DoesNotListEveryCheckpointOfAThousandBadOnes) {
    for (int i = 100; i < 1100; ++i) write_file(checkpoint(i), "garbage");
    edit_log([](Lines& lines) { lines[2] += "x"; });
    const auto report = exported.verify();
    EXPECT_EQ(report.first_damaged, 3U);
    EXPECT_EQ(report.problems.size(), 7U);
    EXPECT_THAT(report.problems, ::testing::Contains("995 more checkpoints are not valid"));
}

}  // namespace
}  // namespace openrd::audit
