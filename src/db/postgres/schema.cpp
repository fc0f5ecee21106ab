#include "db/postgres/schema.hpp"

#include "base/clock.hpp"
#include "db/postgres/transaction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace openrd::db::postgres {
namespace {

using std::chrono::seconds;

// A migration may rewrite a table.
Connection::Time long_enough() { return Terms::Time::now() + std::chrono::hours(6); }
Connection::Time soon() { return Terms::Time::now() + seconds(15); }

std::string text_of(Connection& connection, const Sql& sql) {
    ResultRows rows;
    rows.begin(connection.ask(sql, {}, soon()));
    return rows.step() ? std::string(rows.text(0)) : std::string();
}

std::vector<Applied> applied_migrations(Connection& connection) {
    static constexpr Sql there{"SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'schema_migrations'"};
    static constexpr Sql sql{"SELECT version, checksum FROM schema_migrations ORDER BY version"};
    ResultRows rows;
    rows.begin(connection.ask(there, {}, soon()));
    if (!rows.step() || rows.integer(0) == 0) return {};
    std::vector<Applied> result;
    rows.begin(connection.ask(sql, {}, soon()));
    while (rows.step()) result.push_back({.version = static_cast<int>(rows.integer(0)), .checksum = std::string(rows.text(1))});
    return result;
}

int works_from(Connection& connection) {
    static constexpr Sql there{"SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = 'schema_compatibility'"};
    static constexpr Sql sql{"SELECT works_from FROM schema_compatibility"};
    ResultRows rows;
    rows.begin(connection.ask(there, {}, soon()));
    if (!rows.step() || rows.integer(0) == 0) return 0;
    rows.begin(connection.ask(sql, {}, soon()));
    return rows.step() ? static_cast<int>(rows.integer(0)) : 0;
}

std::span<const Migration> missing(Connection& connection, std::span<const Migration> known) {
    const auto applied = applied_migrations(connection);
    const bool newer = !applied.empty() && (known.empty() || applied.back().version > known.back().version);
    return pending(known, applied, newer ? works_from(connection) : 0);
}

// Two that make the table at once can both find it missing: the second one is told that a type is there already.
void make_migrations_table(Connection& connection) {
    for (int n = 0;; ++n) {
        try {
            connection.run_text(migrations_table, soon());
            return;
        } catch (const ServerError& error) {
            if (n == 10 || error.trouble() != Trouble::conflict) throw;
        }
    }
}

void run_all(Connection& connection, std::span<const Migration> to_run, const Engine::Work& first_content) {
    static constexpr Sql record{"INSERT INTO schema_migrations (version, name, checksum, applied_at_ms) VALUES ($1, $2, $3, $4)"};
    for (const Migration& migration : to_run) {
        for (const std::string& statement : migration.statements) connection.run_text(statement, long_enough());
        connection.ask(record, {std::int64_t{migration.version}, std::string_view(migration.name), std::string_view(migration.checksum), base::real_now_ms()}, soon());
    }
    if (!first_content) return;
    OpenTransaction transaction(connection, Access::writes, long_enough());
    transaction.join();
    first_content(transaction);
    if (transaction.doomed()) std::rethrow_exception(transaction.doomed());
    connection.settle(long_enough());
}

}  // namespace

void check_database(Connection& connection) {
    static constexpr Sql encoding{"SELECT current_setting('server_encoding')"};
    static constexpr Sql collation{"SELECT CAST(datcollate AS TEXT) FROM pg_catalog.pg_database WHERE datname = current_database()"};
    // Whatever the name: with ICU as its provider a database in the order of a language may be called C there.
    static constexpr Sql order{"SELECT CASE WHEN CAST('B' AS TEXT) < CAST('a' AS TEXT) AND CAST('Z' AS TEXT) < CAST('_' AS TEXT) THEN '' ELSE ' (in the order of a language)' END"};
    static constexpr Sql name{"SELECT CAST(current_database() AS TEXT)"};
    static constexpr std::array good{"C", "POSIX", "C.UTF-8", "C.UTF8", "C.utf8"};
    const auto has_encoding = text_of(connection, encoding);
    const auto language = text_of(connection, order);
    const auto has_collation = text_of(connection, collation) + language;
    if (has_encoding == "UTF8" && language.empty() && std::ranges::any_of(good, [&](const char* c) { return has_collation == c; })) return;
    throw Error(Trouble::unavailable,
                fmt::format("the database {0} has encoding {1} and collation {2}, openrd needs UTF8 and C: CREATE DATABASE {0} TEMPLATE template0 ENCODING 'UTF8' "
                            "LC_COLLATE 'C' LC_CTYPE 'C'",
                            text_of(connection, name), has_encoding, has_collation));
}

int applied_version(Connection& connection) {
    const auto applied = applied_migrations(connection);
    return applied.empty() ? 0 : applied.back().version;
}

void look_at(Connection& connection, const Engine::Work& look) {
    OpenTransaction transaction(connection, Access::snapshot, soon());
    try {
        look(transaction);
        if (transaction.doomed()) std::rethrow_exception(transaction.doomed());
    } catch (...) {
        transaction.roll_back();
        throw;
    }
    transaction.end_read();
    connection.settle(soon());
}

int migrate(Connection& connection, std::span<const Migration> known, bool create, const Engine::Work& first_content) {
    check_database(connection);
    if (!create && applied_version(connection) == 0) throw Error(Trouble::unavailable, "there is no schema of openrd in the database");
    if (const auto to_run = missing(connection, known); to_run.empty()) return 0;
    make_migrations_table(connection);
    connection.run_text("SET statement_timeout = 0", soon());
    connection.run_text("SET lock_timeout = 0", soon());
    connection.run_text("BEGIN", soon());
    try {
        // Whoever comes second waits here, and then finds nothing left to run.
        connection.run_text("LOCK TABLE schema_migrations IN ACCESS EXCLUSIVE MODE", long_enough());
        const auto to_run = missing(connection, known);
        const bool is_new = to_run.size() == known.size();
        run_all(connection, to_run, is_new ? first_content : Engine::Work());
        const Result result = connection.run_text("COMMIT", long_enough());
        if (!result || std::string_view(Libpq::get().command_tag(result.get())) != "COMMIT") throw Error(Trouble::unavailable, "the migration was broken off");
        return static_cast<int>(to_run.size());
    } catch (...) {
        connection.give_up();  // and the server rolls back
        throw;
    }
}

}  // namespace openrd::db::postgres
