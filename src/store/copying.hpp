#pragma once
// The rows of any table as they are, for copying a database into one of another engine. Nothing in here knows what they mean.
#include "db/catalog.hpp"
#include "db/engine.hpp"
#include "store/nonces.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace openrd::store {

using Field = std::variant<std::nullptr_t, std::int64_t, std::string>;
using Row = std::vector<Field>;  // in the order of the columns

// A table and the statements for it, which stay as long as the process.
struct Shape {
    std::string table;
    std::vector<db::Column> columns;
    std::vector<std::size_t> key;  // which of them, in the key's order
    db::Sql first, after, insert;

    bool same_columns(const Shape& other) const { return table == other.table && columns == other.columns; }
};
// Throws db::Error(programming) for a table that is not there, has no primary key, or too many columns.
Shape shape_of(db::Transaction&, std::string_view table);

// In the order of the primary key, at most `limit`; after the row `last`, or from the first one when it is empty.
std::vector<Row> rows_after(db::Transaction&, const Shape&, const Row& last, std::int64_t limit);
// Fails with a conflict when one of them is there already.
void insert_rows(db::Transaction&, const Shape&, const std::vector<Row>&);

// The nonces of writes that the audit log holds and whose time is not over: what a shared database has rows of.
std::vector<NonceOfWrite> nonces_of_entries(db::Transaction&, std::int64_t now_ms);

}  // namespace openrd::store
