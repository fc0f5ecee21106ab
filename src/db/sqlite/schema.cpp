#include "db/sqlite/schema.hpp"

#include "base/clock.hpp"
#include "db/sqlite/transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace openrd::db::sqlite {
namespace {

std::vector<Applied> applied_migrations(Connection& connection) {
    static constexpr Sql sql{"SELECT version, checksum FROM schema_migrations ORDER BY version"};
    std::vector<Applied> result;
    Prepared& statement = connection.prepared(sql);
    statement.begin({});
    Rows rows(&statement);
    while (rows.next()) result.push_back({.version = static_cast<int>(rows.integer(0)), .checksum = rows.text(1)});
    return result;
}

int works_from(Connection& connection) {
    static constexpr Sql there{"SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_compatibility'"};
    static constexpr Sql sql{"SELECT works_from FROM schema_compatibility"};
    return connection.integer(there) == 0 ? 0 : static_cast<int>(connection.integer(sql));
}

std::span<const Migration> missing(Connection& connection, std::span<const Migration> known) {
    const auto applied = applied_migrations(connection);
    const bool newer = !applied.empty() && (known.empty() || applied.back().version > known.back().version);
    return pending(known, applied, newer ? works_from(connection) : 0);
}

// A transaction of the connection itself, rolled back unless it comes to its end.
class Exclusive {
  public:
    explicit Exclusive(Connection& connection) : connection_(connection) {
        static constexpr Sql sql{"BEGIN IMMEDIATE"};
        connection.run(sql);
    }
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;
    ~Exclusive() { connection_.roll_back(); }
    void commit() {
        static constexpr Sql sql{"COMMIT"};
        connection_.run(sql);
    }

  private:
    Connection& connection_;
};

std::uintmax_t size_of(const std::string& path) {
    std::error_code none;
    const auto size = std::filesystem::file_size(path, none);
    return none ? 0 : size;
}

void check(Connection& connection, const std::string& path, bool every_page) {
    static constexpr Sql version{"PRAGMA schema_version"};
    static constexpr Sql ours{"SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'"};
    static constexpr Sql page_size{"PRAGMA page_size"};
    static constexpr Sql pages{"PRAGMA quick_check(1)"};
    connection.integer(version);
    if (connection.integer(ours) == 0) throw Error(Trouble::damaged, "it has no schema_migrations");
    const auto size = size_of(path);
    // SQLite reads what is missing of the last page as zeros. (With a log, a page may be on its way into the file.)
    const auto page = static_cast<std::uintmax_t>(connection.integer(page_size));
    if (size % page != 0 && size_of(path + "-wal") == 0) throw Error(Trouble::damaged, "its last page is cut off");
    if (!every_page && size > small_file_bytes) return;
    std::string found = connection.text(pages);
    std::replace(found.begin(), found.end(), '\n', ' ');
    if (found != "ok") throw Error(Trouble::damaged, found);
}

}  // namespace

std::unique_ptr<Connection> open_checked(const std::string& path, Use use, bool durable, bool every_page) {
    try {
        auto connection = std::make_unique<Connection>(path, use, durable);
        check(*connection, path, every_page);
        return connection;
    } catch (const Error& error) {
        if (error.trouble() == Trouble::damaged) throw Error(Trouble::damaged, fmt::format("{} is damaged or not a database of openrd: {}", path, error.what()));
        throw Error(error.trouble(), fmt::format("{} cannot be opened: {}", path, error.what()));
    }
}

int applied_version(Connection& connection) {
    const auto applied = applied_migrations(connection);
    return applied.empty() ? 0 : applied.back().version;
}

bool up_to_date(Connection& connection, std::span<const Migration> known) { return missing(connection, known).empty(); }

void apply(Connection& connection, const Migration& migration) {
    static constexpr Sql record{"INSERT INTO schema_migrations (version, name, checksum, applied_at_ms) VALUES ($1, $2, $3, $4)"};
    for (const std::string& statement : migration.statements) connection.execute(statement);
    OpenTransaction transaction(connection, OpenTransaction::Access::writes);
    transaction.run(record, {migration.version, migration.name, migration.checksum, base::real_now_ms()});
}

void look_at(Connection& connection, const db::Engine::Work& look) {
    static constexpr Sql begin{"BEGIN"};
    connection.run(begin);
    try {
        OpenTransaction transaction(connection, OpenTransaction::Access::reads);
        look(transaction);
    } catch (...) {
        connection.roll_back();
        throw;
    }
    connection.roll_back();
}

int migrate(Connection& connection, std::span<const Migration> known) {
    int count = 0;
    while (!up_to_date(connection, known)) {
        Exclusive transaction(connection);
        // Another process may have been quicker.
        const auto to_run = missing(connection, known);
        if (to_run.empty()) break;
        apply(connection, to_run.front());
        transaction.commit();
        ++count;
    }
    return count;
}

}  // namespace openrd::db::sqlite
