#include "store/copying.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <set>
#include <utility>

namespace openrd::store {
namespace {

constexpr std::size_t most_columns = 32;

// Connections keep what they have prepared by the address of the text.
db::Sql lasting(std::string text) {
    static std::mutex mutex;
    static std::set<std::string> texts;
    const std::lock_guard lock(mutex);
    return {texts.insert(std::move(text)).first->c_str()};
}

db::Value value_of(const Field& field, db::Kind kind) {
    if (const auto* number = std::get_if<std::int64_t>(&field)) return *number;
    if (const auto* text = std::get_if<std::string>(&field)) return kind == db::Kind::bytes ? db::Value(db::Bytes{*text}) : db::Value(std::string_view(*text));
    return nullptr;
}

Field field_of(const db::Rows& rows, int column, db::Kind kind) {
    if (rows.null(column)) return nullptr;
    if (kind == db::Kind::integer) return rows.integer(column);
    return kind == db::Kind::text ? rows.text(column) : rows.bytes(column);
}

// A statement takes a list of a length that is known when this is compiled: one function for each.
using Values = std::vector<db::Value>;
template <std::size_t... I> db::Rows query(db::Transaction& tx, const db::Sql& sql, const Values& values, std::index_sequence<I...>) { return tx.query(sql, {values[I]...}); }
template <std::size_t... I> void post(db::Transaction& tx, const db::Sql& sql, const Values& values, std::index_sequence<I...>) { tx.post(sql, {values[I]...}); }
template <std::size_t N> db::Rows query_of(db::Transaction& tx, const db::Sql& sql, const Values& values) { return query(tx, sql, values, std::make_index_sequence<N>()); }
template <std::size_t N> void post_of(db::Transaction& tx, const db::Sql& sql, const Values& values) { post(tx, sql, values, std::make_index_sequence<N>()); }
template <std::size_t... N> constexpr auto queries(std::index_sequence<N...>) { return std::array{&query_of<N>...}; }
template <std::size_t... N> constexpr auto posts(std::index_sequence<N...>) { return std::array{&post_of<N>...}; }
constexpr auto query_with = queries(std::make_index_sequence<most_columns + 2>());
constexpr auto post_with = posts(std::make_index_sequence<most_columns + 2>());

std::string parameters(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t n = 1; n <= count; ++n) names.push_back(fmt::format("${}", n));
    return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Shape shape_of(db::Transaction& tx, std::string_view table) {
    Shape shape{.table = std::string(table), .columns = db::columns_of(tx, table), .key = {}, .first = {}, .after = {}, .insert = {}};
    std::vector<std::string> names, key;
    for (std::size_t i = 0; i < shape.columns.size(); ++i) {
        names.push_back(shape.columns[i].name);
        if (shape.columns[i].place_in_key != 0) shape.key.push_back(i);
    }
    std::ranges::sort(shape.key, {}, [&](std::size_t i) { return shape.columns[i].place_in_key; });
    if (shape.key.empty() || names.size() > most_columns)
        throw db::Error(db::Trouble::programming, fmt::format("the table {} cannot be copied: it is not there or has no primary key", table));
    for (const auto i : shape.key) key.push_back(names[i]);
    const auto all = fmt::format("{}", fmt::join(names, ", ")), by = fmt::format("{}", fmt::join(key, ", "));
    shape.first = lasting(fmt::format("SELECT {} FROM {} ORDER BY {} LIMIT $1", all, table, by));
    shape.after = lasting(fmt::format("SELECT {} FROM {} WHERE ({}) > ({}) ORDER BY {} LIMIT ${}", all, table, by, parameters(key.size()), by, key.size() + 1));
    shape.insert = lasting(fmt::format("INSERT INTO {} ({}) VALUES ({})", table, all, parameters(names.size())));
    return shape;
}

std::vector<Row> rows_after(db::Transaction& tx, const Shape& shape, const Row& last, std::int64_t limit) {
    Values values;
    if (!last.empty())
        for (const auto i : shape.key) values.push_back(value_of(last[i], shape.columns[i].kind));
    values.emplace_back(limit);
    std::vector<Row> result;
    for (auto rows = query_with[values.size()](tx, last.empty() ? shape.first : shape.after, values); rows.next();) {
        auto& row = result.emplace_back();
        for (std::size_t i = 0; i < shape.columns.size(); ++i) row.push_back(field_of(rows, static_cast<int>(i), shape.columns[i].kind));
    }
    return result;
}

void insert_rows(db::Transaction& tx, const Shape& shape, const std::vector<Row>& rows) {
    static constexpr db::Sql wait{"SELECT 1"};
    for (const auto& row : rows) {
        Values values;
        for (std::size_t i = 0; i < row.size(); ++i) values.push_back(value_of(row[i], shape.columns[i].kind));
        post_with[values.size()](tx, shape.insert, values);
    }
    tx.query(wait).next();  // no more than these are on their way at a time
}

std::vector<NonceOfWrite> nonces_of_entries(db::Transaction& tx, std::int64_t now_ms) {
    static constexpr db::Sql sql{"SELECT account_id, nonce_hash, event_id, nonce_until_ms FROM audit_events WHERE nonce_until_ms > $1 AND nonce_hash IS NOT NULL"};
    std::vector<NonceOfWrite> nonces;
    for (auto rows = tx.query(sql, {now_ms}); rows.next();)
        nonces.push_back({.account_id = rows.text(0), .hash = rows.bytes(1), .request_id = rows.text(2), .until_ms = rows.integer(3)});
    return nonces;
}

}  // namespace openrd::store
