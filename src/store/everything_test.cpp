#include "store/everything.hpp"

#include "db/open.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

namespace openrd::store {
namespace {

// SQLite's own word on what there is: this test reads the schema, so that a new table cannot be forgotten.
class Everything : public ::testing::Test {
  protected:
    Everything() : engine_(db::open({.directory = directory_ + "/data", .create = true, .durable = false})) {}
    ~Everything() override {
        engine_->close();
        std::filesystem::remove_all(directory_);
    }

    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "everything_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }

    std::vector<std::string> tables() {
        static constexpr db::Sql sql{
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT IN ('schema_migrations', 'schema_compatibility') ORDER BY name"};
        std::vector<std::string> names;
        engine_->read([&](db::Transaction& tx) {
            names.clear();
            for (auto rows = tx.query(sql); rows.next();) names.push_back(rows.text(0));
        });
        return names;
    }

    // A statement must live as long as the connections that keep it.
    const db::Sql& statement(const std::string& text) {
        const auto kept = texts_.insert(text).first;
        return statements_.try_emplace(text, db::Sql{kept->c_str()}).first->second;
    }

    // One row, whatever the columns: 0 is taken by each type.
    void insert_row(const std::string& table) {
        std::string zeros;
        engine_->read([&](db::Transaction& tx) {
            zeros.clear();
            for (auto rows = tx.query(statement("SELECT name FROM pragma_table_info('" + table + "')")); rows.next();) zeros += zeros.empty() ? "0" : ", 0";
        });
        engine_->write_and_wait([&](db::Transaction& tx) { tx.run(statement("INSERT INTO " + table + " VALUES (" + zeros + ")")); });
    }

    std::int64_t rows_of(const std::string& table) {
        std::int64_t count = 0;
        engine_->read([&](db::Transaction& tx) {
            auto rows = tx.query(statement("SELECT count(*) FROM " + table));
            count = rows.next() ? rows.integer(0) : -1;
        });
        return count;
    }

    std::string directory_ = make_directory();
    std::set<std::string> texts_;
    std::map<std::string, db::Sql> statements_;
    std::unique_ptr<db::Engine> engine_;
};

TEST_F(Everything, IsEveryTableOfTheSchema) {
    const auto names = tables();
    ASSERT_GE(names.size(), 18u);
    for (const auto& table : names) {
        insert_row(table);
        ASSERT_EQ(rows_of(table), 1) << table;
    }
    engine_->write_and_wait(delete_everything);
    for (const auto& table : names) EXPECT_EQ(rows_of(table), 0) << table;
}

TEST_F(Everything, IsSeenByAllWhoKeepCopiesOrWaitForWork) {
    const std::array topics = {db::Topic::identities, db::Topic::outbox, db::Topic::audit};
    for (const auto topic : topics) {
        const auto before = engine_->generation(topic);
        engine_->write_and_wait(delete_everything);
        EXPECT_GT(engine_->generation(topic), before);
    }
}

TEST_F(Everything, LeavesTheSchemaUsable) {
    insert_row("facts");
    engine_->write_and_wait(delete_everything);
    insert_row("facts");
    EXPECT_EQ(rows_of("facts"), 1);
}

}  // namespace
}  // namespace openrd::store
