#include "db/postgres/distribute.hpp"

#include "db/postgres/connection.hpp"

#include <fmt/format.h>

#include <map>
#include <string_view>

namespace openrd::db::postgres {
namespace {

// Rows that are there move to their nodes.
Connection::Time long_enough() { return Terms::Time::now() + std::chrono::hours(24); }

bool any(Connection& connection, const Sql& sql, std::initializer_list<Value> values = {}) {
    ResultRows rows;
    rows.begin(connection.ask(sql, values, Terms::Time::now() + std::chrono::seconds(15)));
    return rows.step() && rows.integer(0) != 0;
}

bool is_distributed(Connection& connection, const std::string& table) {
    static constexpr Sql catalog{"SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'pg_dist_partition'"};
    static constexpr Sql sql{"SELECT count(*) FROM pg_dist_partition WHERE logicalrelid = CAST(CAST($1 AS TEXT) AS regclass)"};
    return any(connection, catalog) && any(connection, sql, {std::string_view(table)});
}

}  // namespace

int distribute(const std::string& url, std::span<const Distribution> tables) {
    static constexpr Sql citus{"SELECT count(*) FROM pg_catalog.pg_proc WHERE proname = 'create_distributed_table'"};
    Connection connection({.url = url});
    if (!any(connection, citus)) throw Error(Trouble::unavailable, fmt::format("{} knows no create_distributed_table: CREATE EXTENSION citus comes first", shown(url)));
    connection.run_text("SET statement_timeout = 0", long_enough());
    connection.run_text("SET lock_timeout = 0", long_enough());
    int count = 0;
    std::map<std::string, std::string> first_of;  // the table with which the others of that column are kept together
    const auto take = [&](const Distribution& one) {
        const bool everywhere = one.column.empty();
        const auto [first, is_first] = everywhere ? std::pair{first_of.end(), false} : first_of.try_emplace(one.column, one.table);
        if (is_distributed(connection, one.table)) return;
        if (everywhere) connection.run_text(fmt::format("SELECT create_reference_table('{}')", one.table), long_enough());
        else
            connection.run_text(
                fmt::format("SELECT create_distributed_table('{}', '{}', colocate_with := '{}')", one.table, one.column, is_first ? std::string("none") : first->second),
                long_enough());
        ++count;
    };
    // Of the engine's own: a few rows that every node has.
    for (const char* table : {"schema_migrations", "schema_compatibility"}) take({.table = table, .column = {}});
    for (const auto& table : tables) take(table);
    return count;
}

}  // namespace openrd::db::postgres
