#include "db/sqlite/testing.hpp"

#include <gmock/gmock.h>

namespace openrd::db::sqlite {
namespace {

using testing::caught;
using ::testing::HasSubstr;
using ::testing::Not;

class PreparedStatements : public ::testing::Test {
  protected:
    void write(const Engine::Work& work) { engine_->write_and_wait(work); }

    testing::Directory directory_;
    std::unique_ptr<Engine> engine_ = testing::open_small(directory_);
};

TEST_F(PreparedStatements, TakeParametersByTheirNumberHoweverTheyAppear) {
    static constexpr Sql sql{"SELECT $2, $1, $2, $3, $10, $1, $9, $8, $7, $6, $5, $4"};
    engine_->read([](Transaction& tx) {
        auto rows = tx.query(sql, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
        ASSERT_TRUE(rows.next());
        const std::int64_t expected[] = {2, 1, 2, 3, 10, 1, 9, 8, 7, 6, 5, 4};
        for (int i = 0; i < 12; ++i) EXPECT_EQ(rows.integer(i), expected[i]) << i;
        EXPECT_FALSE(rows.next());
        EXPECT_FALSE(rows.next()) << "the end is the end";
    });
}

TEST_F(PreparedStatements, GiveBackEveryKindOfValue) {
    static constexpr Sql sql{"SELECT $1, $2, $3, $4, $5, $6, typeof($2), typeof($3), typeof($5), typeof($6), length($3)"};
    engine_->read([](Transaction& tx) {
        const std::string text("a\n'b\xC3\xA9"), bytes("a\0'b\xff", 5);
        auto rows = tx.query(sql, {INT64_MIN, text, Bytes{bytes}, nullptr, std::string_view(), Bytes{{}}});
        ASSERT_TRUE(rows.next());
        EXPECT_EQ(rows.integer(0), INT64_MIN);
        EXPECT_EQ(rows.text(1), text);
        EXPECT_EQ(rows.bytes(2), bytes);
        EXPECT_TRUE(rows.null(3));
        EXPECT_EQ(rows.optional_text(3), std::nullopt);
        EXPECT_FALSE(rows.null(4)) << "an empty text is a text";
        EXPECT_EQ(rows.text(4), "");
        EXPECT_FALSE(rows.null(5));
        EXPECT_EQ(rows.bytes(5), "");
        EXPECT_EQ(rows.text(6), "text");
        EXPECT_EQ(rows.text(7), "blob");
        EXPECT_EQ(rows.text(8), "text");
        EXPECT_EQ(rows.text(9), "blob");
        EXPECT_EQ(rows.integer(10), 5);
    });
}

TEST_F(PreparedStatements, KeepTheirValuesWhenTheCallersAreGone) {
    static constexpr Sql sql{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT $1 || i, $2 FROM n"};
    engine_->read([](Transaction& tx) {
        auto name = std::make_unique<std::string>("a name too long to stand in the string itself ");
        auto rows = tx.query(sql, {*name, std::string(200'000, 'x')});
        name.reset();
        for (int i = 1; i <= 3; ++i) {
            ASSERT_TRUE(rows.next());
            EXPECT_EQ(rows.text(0), "a name too long to stand in the string itself " + std::to_string(i));
            EXPECT_EQ(rows.text_view(1).size(), 200'000U);
        }
    });
}

TEST_F(PreparedStatements, MayRunInsideTheLoopOverTheirOwnRows) {
    write([](Transaction& tx) {
        for (const auto* name : {"a", "b", "c"}) testing::add_note(tx, name);
    });
    static constexpr Sql sql{"SELECT name FROM notes WHERE name >= $1 ORDER BY name"};
    std::string seen;
    engine_->read([&](Transaction& tx) {
        auto outer = tx.query(sql, {"a"});
        while (outer.next()) {
            seen += outer.text(0) + ":";
            auto inner = tx.query(sql, {outer.text(0)});
            while (inner.next()) seen += inner.text(0);
            seen += " ";
        }
    });
    EXPECT_EQ(seen, "a:abc b:bc c:c ");
}

TEST_F(PreparedStatements, OfAWriteMayRunInsideTheLoopOverRows) {
    static constexpr Sql each{"SELECT name FROM notes WHERE amount = 0 ORDER BY name"};
    static constexpr Sql set{"UPDATE counters SET value = value + 1 WHERE name = 'n'"};
    static constexpr Sql begin{"INSERT INTO counters (name, value) VALUES ('n', 0)"};
    static constexpr Sql value{"SELECT value FROM counters WHERE name = 'n'"};
    write([](Transaction& tx) {
        for (const auto* name : {"a", "b", "c"}) testing::add_note(tx, name);
        EXPECT_EQ(tx.run(begin), 1);
        auto rows = tx.query(each);
        while (rows.next()) EXPECT_EQ(tx.run(set), 1);
        auto total = tx.query(value);
        ASSERT_TRUE(total.next());
        EXPECT_EQ(total.integer(0), 3);
    });
}

TEST_F(PreparedStatements, SayHowManyRowsTheyWrote) {
    static constexpr Sql update{"UPDATE notes SET amount = amount + 1 WHERE name <= $1"};
    static constexpr Sql select{"SELECT * FROM notes"};
    static constexpr Sql create{"CREATE TABLE other (x TEXT)"};
    static constexpr Sql returning{"DELETE FROM notes WHERE name = $1 RETURNING amount"};
    static constexpr Sql nothing{"INSERT INTO notes (name, amount) VALUES ($1, 0) ON CONFLICT DO NOTHING"};
    write([](Transaction& tx) {
        for (const auto* name : {"a", "b", "c"}) testing::add_note(tx, name);
        EXPECT_EQ(tx.run(update, {"b"}), 2);
        EXPECT_EQ(tx.run(select), 0);
        EXPECT_EQ(tx.run(create), 0);
        EXPECT_EQ(tx.run(update, {"0"}), 0);
        EXPECT_EQ(tx.run(nothing, {"a"}), 0);
        EXPECT_EQ(tx.writes(), 5);
        auto rows = tx.query(returning, {"a"});
        ASSERT_TRUE(rows.next());
        EXPECT_EQ(rows.integer(0), 1);
        EXPECT_FALSE(rows.next());
        EXPECT_EQ(tx.writes(), 6);
    });
}

TEST_F(PreparedStatements, RefuseAWrongNumberOfValues) {
    static constexpr Sql two{"SELECT $1, $2"};
    static constexpr Sql gap{"SELECT $1, $3"};
    static constexpr Sql unnamed{"SELECT ?"};
    engine_->read([](Transaction& tx) {
        EXPECT_EQ(caught([&] { auto rows = tx.query(two, {1}); }).trouble, Trouble::programming);
        EXPECT_EQ(caught([&] { auto rows = tx.query(two, {1, 2, 3}); }).trouble, Trouble::programming);
        EXPECT_EQ(caught([&] { auto rows = tx.query(gap, {1, 2}); }).trouble, Trouble::programming);
        EXPECT_EQ(caught([&] { auto rows = tx.query(unnamed, {1}); }).trouble, Trouble::programming);
        auto rows = tx.query(two, {1, 2});
        EXPECT_TRUE(rows.next()) << "and are good for the next try";
    });
}

TEST_F(PreparedStatements, RefuseWhatIsNotOneStatement) {
    static constexpr Sql two{"SELECT 1; SELECT 2"};
    static constexpr Sql none{"-- nothing"};
    static constexpr Sql wrong{"SELEKT 1"};
    static constexpr Sql quoted{"SELECT \"no column\" FROM notes"};
    engine_->read([](Transaction& tx) {
        for (const Sql* sql : {&two, &none, &wrong, &quoted}) EXPECT_EQ(caught([&] { auto rows = tx.query(*sql); }).trouble, Trouble::programming) << sql->text;
    });
}

TEST_F(PreparedStatements, RefuseAColumnThatTheyDoNotHave) {
    static constexpr Sql sql{"SELECT 1"};
    engine_->read([](Transaction& tx) {
        auto rows = tx.query(sql);
        ASSERT_TRUE(rows.next());
        EXPECT_EQ(caught([&] { rows.text(1); }).trouble, Trouble::programming);
        EXPECT_EQ(caught([&] { rows.integer(-1); }).trouble, Trouble::programming);
    });
}

TEST_F(PreparedStatements, ThatConflictSaySoWithoutTheValues) {
    write([](Transaction& tx) { testing::add_note(tx, "13800138000"); });
    write([](Transaction& tx) {
        const auto error = caught([&] { testing::add_note(tx, "13800138000"); });
        EXPECT_EQ(error.trouble, Trouble::conflict);
        EXPECT_THAT(error.what, HasSubstr("notes.name"));
        EXPECT_THAT(error.what, Not(HasSubstr("13800138000")));
        testing::add_note(tx, "after");  // the transaction goes on
    });
    EXPECT_TRUE(testing::has_note(*engine_, "after"));
}

TEST_F(PreparedStatements, ThatWriteAreRefusedInARead) {
    engine_->read([](Transaction& tx) {
        EXPECT_FALSE(tx.writable());
        EXPECT_EQ(caught([&] { testing::add_note(tx, "a"); }).trouble, Trouble::programming);
    });
    EXPECT_EQ(testing::count_notes(*engine_), 0);
}

TEST_F(PreparedStatements, AreGivenBackWhenTheirRowsAreLeftEarly) {
    static constexpr Sql sql{"SELECT name FROM notes ORDER BY name"};
    write([](Transaction& tx) {
        for (const auto* name : {"a", "b"}) testing::add_note(tx, name);
    });
    for (int i = 0; i < 3; ++i) {
        engine_->read([](Transaction& tx) {
            auto rows = tx.query(sql);
            ASSERT_TRUE(rows.next());
            EXPECT_EQ(rows.text(0), "a");
            auto moved = std::move(rows);
            ASSERT_TRUE(moved.next());
            EXPECT_EQ(moved.text(0), "b");
        });
    }
}

}  // namespace
}  // namespace openrd::db::sqlite
