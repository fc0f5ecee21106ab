#include "db/migrate.hpp"

#include "db/engine.hpp"

#include <gmock/gmock.h>

namespace openrd::db {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Trouble trouble_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) { return error.trouble(); }
    ADD_FAILURE() << "nothing was thrown";
    return Trouble::conflict;
}

TEST(Statements, EndWithASemicolonAtTheEndOfALine) {
    EXPECT_THAT(statements_of("CREATE TABLE a (x TEXT);\nCREATE TABLE b (\n  y TEXT\n);  \n\nSELECT 1; SELECT 2;"),
                ElementsAre("CREATE TABLE a (x TEXT)", "CREATE TABLE b (\n  y TEXT\n)", "SELECT 1; SELECT 2"));
}

TEST(Statements, AreNotCutInQuotesAndComments) {
    EXPECT_THAT(statements_of("INSERT INTO a VALUES ('one;\ntwo', 'it''s;\n');\n/* not;\nhere; */ SELECT \"a;\n\" -- nor here;\n FROM b;\n"),
                ElementsAre("INSERT INTO a VALUES ('one;\ntwo', 'it''s;\n')", "SELECT \"a;\n\" -- nor here;\n FROM b"));
}

TEST(Statements, LeaveOutWhatIsOnlyComment) {
    EXPECT_THAT(statements_of("-- first;\n/* second */\nSELECT 1; -- why\n-- last;\n"), ElementsAre("SELECT 1"));
    EXPECT_THAT(statements_of(" \n-- nothing"), IsEmpty());
    EXPECT_THAT(statements_of("SELECT '"), ElementsAre("SELECT '"));
    EXPECT_THAT(statements_of("/*"), IsEmpty());
}

TEST(Migrations, AreInTheOrderOfTheirNumbers) {
    const embedded::File files[] = {{"0010_later.sql", "SELECT 10;"}, {"0002_earlier.sql", "SELECT 2;"}};
    const auto found = migrations_for(Dialect::sqlite, files);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].version, 2);
    EXPECT_EQ(found[0].name, "earlier");
    EXPECT_EQ(found[1].version, 10);
}

TEST(Migrations, OfOneEngineTakeThePlaceOfTheGeneralText) {
    const embedded::File files[] = {{"0001_a.postgres.sql", "SELECT 'p';"}, {"0001_a.sql", "SELECT 'g';"}, {"0002_b.sql", "SELECT 'g';"}, {"0002_b.sqlite.sql", "SELECT 's';"}};
    const auto sqlite = migrations_for(Dialect::sqlite, files);
    EXPECT_THAT(sqlite.at(0).statements, ElementsAre("SELECT 'g'"));
    EXPECT_THAT(sqlite.at(1).statements, ElementsAre("SELECT 's'"));
    const auto postgres = migrations_for(Dialect::postgres, files);
    EXPECT_THAT(postgres.at(0).statements, ElementsAre("SELECT 'p'"));
    EXPECT_THAT(postgres.at(1).statements, ElementsAre("SELECT 'g'"));
}

TEST(Migrations, KeepTablesInTheirPrimaryKeyOnSqlite) {
    const embedded::File files[] = {{"0001_a.sql", "CREATE TABLE a (x TEXT PRIMARY KEY) /*clustered*/;\nCREATE TABLE b (x TEXT PRIMARY KEY) /*clustered*/;\n"}};
    EXPECT_THAT(migrations_for(Dialect::sqlite, files).at(0).statements,
                ElementsAre("CREATE TABLE a (x TEXT PRIMARY KEY) WITHOUT ROWID", "CREATE TABLE b (x TEXT PRIMARY KEY) WITHOUT ROWID"));
    EXPECT_THAT(migrations_for(Dialect::postgres, files).at(0).statements.at(0), HasSubstr("/*clustered*/"));
}

TEST(Migrations, HaveTheSha256OfTheirFile) {
    const embedded::File files[] = {{"0001_a.sql", "abc"}};
    EXPECT_EQ(migrations_for(Dialect::sqlite, files).at(0).checksum, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Migrations, RefuseOtherNames) {
    for (const auto* name : {"1_a.sql", "0001a.sql", "0001_a.txt", "0001_a.mysql.sql", "0001_.sql", "0000_a.sql", "00x1_a.sql", "-001_a.sql", ""}) {
        const embedded::File files[] = {{name, ""}};
        EXPECT_EQ(trouble_of([&] { migrations_for(Dialect::sqlite, files); }), Trouble::programming) << name;
    }
}

TEST(Migrations, RefuseTheSameNumberTwice) {
    const embedded::File two_names[] = {{"0001_a.sql", ""}, {"0001_b.sql", ""}};
    EXPECT_EQ(trouble_of([&] { migrations_for(Dialect::sqlite, two_names); }), Trouble::programming);
    const embedded::File same_name[] = {{"0001_a.sql", ""}, {"0001_a.sql", ""}};
    EXPECT_EQ(trouble_of([&] { migrations_for(Dialect::sqlite, same_name); }), Trouble::programming);
    const embedded::File other_name[] = {{"0001_a.sqlite.sql", ""}, {"0001_b.sql", ""}};
    EXPECT_EQ(trouble_of([&] { migrations_for(Dialect::sqlite, other_name); }), Trouble::programming);
}

class Pending : public ::testing::Test {
  protected:
    std::vector<Migration> known = {{.version = 1, .name = "a", .checksum = "aa", .statements = {}},
                                    {.version = 2, .name = "b", .checksum = "bb", .statements = {}},
                                    {.version = 4, .name = "c", .checksum = "cc", .statements = {}}};
    std::size_t count(std::vector<Applied> applied) { return pending(known, applied, 0).size(); }
};

TEST_F(Pending, AreThoseThatWereNotRun) {
    EXPECT_EQ(count({}), 3U);
    EXPECT_EQ(count({{1, "aa"}}), 2U);
    EXPECT_EQ(count({{1, "aa"}, {2, "bb"}, {4, "cc"}}), 0U);
    const std::vector<Applied> two = {{1, "aa"}, {2, "bb"}};
    EXPECT_EQ(pending(known, two, 0).front().version, 4);
}

TEST_F(Pending, ADatabaseOfANewerOpenrdIsRefused) {
    EXPECT_EQ(trouble_of([&] { count({{1, "aa"}, {2, "bb"}, {4, "cc"}, {5, "dd"}}); }), Trouble::newer);
    EXPECT_EQ(trouble_of([&] { count({{7, "dd"}}); }), Trouble::newer);
}

TEST_F(Pending, ADatabaseThatANewerOpenrdHasOnlyAddedToIsWorkedWith) {
    const std::vector<Applied> newer = {{1, "aa"}, {2, "bb"}, {4, "cc"}, {5, "dd"}};
    EXPECT_TRUE(pending(known, newer, 4).empty());
    EXPECT_TRUE(pending(known, newer, 2).empty());
    EXPECT_EQ(trouble_of([&] { pending(known, newer, 5); }), Trouble::newer) << "it has taken something away";
    const std::vector<Applied> other = {{1, "aa"}, {2, "xx"}, {4, "cc"}, {5, "dd"}};
    EXPECT_EQ(trouble_of([&] { pending(known, other, 2); }), Trouble::damaged);
}

TEST_F(Pending, AChangedOrMissingMigrationIsRefused) {
    EXPECT_EQ(trouble_of([&] { count({{1, "ax"}}); }), Trouble::damaged);
    EXPECT_EQ(trouble_of([&] { count({{2, "bb"}}); }), Trouble::damaged);
    EXPECT_EQ(trouble_of([&] { count({{1, "aa"}, {3, "xx"}}); }), Trouble::damaged);
}

}  // namespace
}  // namespace openrd::db
