#include "db/sqlite/statement.hpp"

#include "base/text.hpp"
#include "db/sqlite/connection.hpp"

#include <sqlite3.h>

#include <charconv>
#include <cstring>

namespace openrd::db::sqlite {
namespace {

constexpr std::size_t kept_bytes = 64 * 1024;  // of a statement's values, for its next use

std::string_view bytes_of(const Value& value) {
    if (const auto* text = std::get_if<std::string_view>(&value)) return *text;
    if (const auto* bytes = std::get_if<Bytes>(&value)) return bytes->data;
    return {};
}

}  // namespace

Prepared::Prepared(Connection& connection, const char* text) : connection_(connection) {
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(connection.handle(), text, -1, SQLITE_PREPARE_PERSISTENT, &statement_, &tail);
    if (code != SQLITE_OK) throw connection.failed(code, text);
    try {
        if (!statement_ || std::string_view(tail).find_first_not_of(" \t\r\n;") != std::string_view::npos)
            throw Error(Trouble::programming, "not one statement: " + std::string(text));
        number_parameters();
        values_.reserve(1);
    } catch (...) {
        sqlite3_finalize(statement_);
        throw;
    }
    columns_ = sqlite3_column_count(statement_);
}

Prepared::~Prepared() { sqlite3_finalize(statement_); }

void Prepared::number_parameters() {
    const int count = sqlite3_bind_parameter_count(statement_);
    positions_.assign(static_cast<std::size_t>(count), 0);
    for (int position = 1; position <= count; ++position) {
        const char* name = sqlite3_bind_parameter_name(statement_, position);
        std::size_t number = 0;
        if (name && *name == '$') std::from_chars(name + 1, name + std::strlen(name), number);
        if (number == 0 || number > positions_.size()) throw Error(Trouble::programming, "the parameters are not $1 to $" + std::to_string(count) + ": " + text_of_statement());
        positions_[number - 1] = position;
    }
}

bool Prepared::only_reads() const { return sqlite3_stmt_readonly(statement_) != 0; }

const char* Prepared::text_of_statement() const { return sqlite3_sql(statement_); }

void Prepared::begin(std::initializer_list<Value> values) {
    if (values.size() != positions_.size())
        throw Error(Trouble::programming, std::to_string(values.size()) + " values for " + std::to_string(positions_.size()) + " parameters: " + text_of_statement());
    hold(values);
    busy_ = true;
    ended_ = false;
    changed_ = 0;
    changes_before_ = connection_.changes();
}

void Prepared::hold(std::initializer_list<Value> values) {
    std::size_t total = 0;
    for (const Value& value : values) total += bytes_of(value).size();
    values_.resize(total);
    char* at = values_.data();  // never null, as an empty text must not become NULL
    auto position = positions_.begin();
    for (const Value& value : values) {
        const int parameter = *position++;
        const std::string_view bytes = bytes_of(value);
        if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
        int code = SQLITE_OK;
        if (const auto* number = std::get_if<std::int64_t>(&value)) {
            code = sqlite3_bind_int64(statement_, parameter, *number);
        } else if (std::holds_alternative<std::string_view>(value)) {
            // PostgreSQL has no such text: better refused by both than kept by one.
            if (!base::is_clean_utf8(bytes)) throw Error(Trouble::programming, "a text that is not UTF-8, or has a NUL byte: " + std::string(text_of_statement()));
            code = sqlite3_bind_text64(statement_, parameter, at, bytes.size(), SQLITE_STATIC, SQLITE_UTF8);
        } else if (std::holds_alternative<Bytes>(value)) {
            code = sqlite3_bind_blob64(statement_, parameter, at, bytes.size(), SQLITE_STATIC);
        } else {
            code = sqlite3_bind_null(statement_, parameter);
        }
        if (code != SQLITE_OK) throw connection_.failed(code, text_of_statement());
        at += bytes.size();
    }
}

bool Prepared::step() {
    if (ended_) return false;
    const int code = sqlite3_step(statement_);
    if (code == SQLITE_ROW) return true;
    ended_ = true;
    if (code != SQLITE_DONE) throw connection_.failed(code, text_of_statement());
    // SQLite's own count is that of the last statement that could write rows, which need not be this one.
    if (connection_.changes() != changes_before_) changed_ = sqlite3_changes64(connection_.handle());
    return false;
}

int Prepared::checked(int column) const {
    if (column < 0 || column >= columns_) throw Error(Trouble::programming, "no column " + std::to_string(column) + ": " + text_of_statement());
    return column;
}

bool Prepared::null(int column) const { return sqlite3_column_type(statement_, checked(column)) == SQLITE_NULL; }

std::int64_t Prepared::integer(int column) const { return sqlite3_column_int64(statement_, checked(column)); }

std::string_view Prepared::held(const void* data, int column) const {
    if (data) return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    // NULL and what is empty have no address either; without memory there is one thing more that has none.
    if (sqlite3_errcode(connection_.handle()) == SQLITE_NOMEM) throw connection_.failed(SQLITE_NOMEM, text_of_statement());
    return {};
}

std::string_view Prepared::text(int column) const { return held(sqlite3_column_text(statement_, checked(column)), column); }

std::string_view Prepared::bytes(int column) const { return held(sqlite3_column_blob(statement_, checked(column)), column); }

void Prepared::release() noexcept {
    sqlite3_reset(statement_);  // repeats the code of the last step, which was thrown then
    if (values_.capacity() > kept_bytes) {
        sqlite3_clear_bindings(statement_);
        values_ = std::string();
    }
    busy_ = false;
}

}  // namespace openrd::db::sqlite
