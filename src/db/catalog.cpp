#include "db/catalog.hpp"

namespace openrd::db {
namespace {

Kind kind_of(std::string_view type) {
    if (type == "TEXT" || type == "text") return Kind::text;
    if (type == "BIGINT" || type == "bigint") return Kind::integer;
    if (type == "BLOB" || type == "bytea") return Kind::bytes;
    throw Error(Trouble::programming, "a column of the type " + std::string(type));
}

}  // namespace

std::vector<Column> columns_of(Transaction& tx, std::string_view table) {
    static constexpr Sql of_file{"SELECT name, type, pk FROM pragma_table_info($1) ORDER BY cid"};
    static constexpr Sql of_server{
        "SELECT CAST(c.column_name AS TEXT), CAST(c.data_type AS TEXT), CAST(coalesce(k.place, 0) AS BIGINT) FROM information_schema.columns c LEFT JOIN "
        "(SELECT u.table_schema, u.table_name, u.column_name, u.ordinal_position AS place FROM information_schema.key_column_usage u JOIN information_schema.table_constraints t "
        "ON t.constraint_schema = u.constraint_schema AND t.constraint_name = u.constraint_name AND t.table_name = u.table_name WHERE t.constraint_type = 'PRIMARY KEY') k "
        "ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name "
        "WHERE c.table_schema = current_schema() AND c.table_name = $1 ORDER BY c.ordinal_position"};
    std::vector<Column> columns;
    for (auto rows = tx.query(tx.shared() ? of_server : of_file, {table}); rows.next();)
        columns.push_back({.name = rows.text(0), .kind = kind_of(rows.text_view(1)), .place_in_key = static_cast<int>(rows.integer(2))});
    return columns;
}

}  // namespace openrd::db
