#include "db/postgres/result.hpp"

#include <charconv>
#include <cstring>

namespace openrd::db::postgres {
namespace {

// Of pg_type; they never change.
constexpr Oid oid_bool = 16, oid_bytea = 17, oid_int8 = 20, oid_int2 = 21, oid_int4 = 23, oid_text = 25, oid_unknown = 705, oid_varchar = 1043, oid_name = 19;

std::int64_t big_endian(std::string_view bytes) {
    auto value = static_cast<std::uint64_t>(bytes[0] & 0x80 ? -1 : 0);
    for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(value);
}

}  // namespace

void ResultRows::begin(Result result) {
    const Libpq& pq = Libpq::get();
    result_ = std::move(result);
    row_ = -1;
    rows_ = pq.rows(result_.get());
    columns_ = pq.columns(result_.get());
    changed_ = 0;
    const std::string_view changed = pq.changed_rows(result_.get());
    std::from_chars(changed.data(), changed.data() + changed.size(), changed_);
    // The server counts the rows of a SELECT as well.
    if (std::string_view(pq.command_tag(result_.get())).starts_with("SELECT")) changed_ = 0;
}

bool ResultRows::step() {
    if (row_ < rows_) ++row_;
    return row_ < rows_;
}

void ResultRows::check(int column) const {
    if (column < 0 || column >= columns_) throw Error(Trouble::programming, "no column " + std::to_string(column));
    if (row_ < 0 || row_ >= rows_) throw Error(Trouble::programming, "no row");
}

bool ResultRows::null(int column) const {
    check(column);
    return Libpq::get().is_null(result_.get(), row_, column) != 0;
}

std::string_view ResultRows::raw(int column) const {
    const Libpq& pq = Libpq::get();
    return {pq.value(result_.get(), row_, column), static_cast<std::size_t>(pq.length(result_.get(), row_, column))};
}

std::int64_t ResultRows::integer(int column) const {
    if (null(column)) return 0;  // as SQLite has it
    const Oid type = Libpq::get().type(result_.get(), column);
    if (type != oid_int8 && type != oid_int4 && type != oid_int2 && type != oid_bool) throw Error(Trouble::programming, "column " + std::to_string(column) + " is no integer");
    const std::string_view bytes = raw(column);
    return type == oid_bool ? std::int64_t{bytes[0] != 0} : big_endian(bytes);
}

std::string_view ResultRows::text(int column) const {
    if (null(column)) return {};
    const Oid type = Libpq::get().type(result_.get(), column);
    if (type != oid_text && type != oid_varchar && type != oid_name && type != oid_unknown) throw Error(Trouble::programming, "column " + std::to_string(column) + " is no text");
    return raw(column);
}

std::string_view ResultRows::bytes(int column) const {
    if (null(column)) return {};
    if (Libpq::get().type(result_.get(), column) != oid_bytea) throw Error(Trouble::programming, "column " + std::to_string(column) + " holds no bytes");
    return raw(column);
}

}  // namespace openrd::db::postgres
