#include "store/facts.hpp"

namespace openrd::store {

std::optional<std::string> find_fact(db::Transaction& tx, std::string_view name) {
    static constexpr db::Sql sql{"SELECT value FROM facts WHERE name = $1"};
    auto rows = tx.query(sql, {name});
    return rows.next() ? std::optional(rows.text(0)) : std::nullopt;
}

void put_fact(db::Transaction& tx, std::string_view name, std::string_view value) {
    static constexpr db::Sql sql{"INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"};
    tx.run(sql, {name, value});
}

}  // namespace openrd::store
