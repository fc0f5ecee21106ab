#include "store/suppressions.hpp"

#include <algorithm>

namespace openrd::store {

void put_suppression(db::Transaction& tx, const Suppression& s) {
    static constexpr db::Sql sql{
        "INSERT INTO suppressions (phone_index, reason, created_by, created_at_ms, until_ms) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (phone_index) DO UPDATE SET reason = excluded.reason, created_by = excluded.created_by, created_at_ms = excluded.created_at_ms, until_ms = excluded.until_ms"};
    tx.run(sql, {db::Bytes{s.phone_index}, s.reason, s.created_by, s.created_at_ms, db::optional_integer(s.until_ms)});
}

bool delete_suppression(db::Transaction& tx, std::string_view phone_index) {
    static constexpr db::Sql sql{"DELETE FROM suppressions WHERE phone_index = $1"};
    return tx.run(sql, {db::Bytes{phone_index}}) != 0;
}

bool is_suppressed(db::Transaction& tx, std::string_view phone_index, std::int64_t now_ms) {
    static constexpr db::Sql sql{"SELECT 1 FROM suppressions WHERE phone_index = $1 AND (until_ms IS NULL OR until_ms > $2)"};
    return tx.query(sql, {db::Bytes{phone_index}, now_ms}).next();
}

bool is_suppressed(db::Transaction& tx, std::span<const std::string> phone_indexes, std::int64_t now_ms) {
    return std::ranges::any_of(phone_indexes, [&](const std::string& index) { return is_suppressed(tx, index, now_ms); });
}

std::vector<Suppression> list_suppressions(db::Transaction& tx, std::string_view after, std::int64_t limit) {
    static constexpr db::Sql sql{"SELECT phone_index, reason, created_by, created_at_ms, until_ms FROM suppressions WHERE phone_index > $1 ORDER BY phone_index LIMIT $2"};
    std::vector<Suppression> found;
    for (auto rows = tx.query(sql, {db::Bytes{after}, limit}); rows.next();)
        found.push_back({.phone_index = rows.bytes(0), .reason = rows.text(1), .created_by = rows.text(2), .created_at_ms = rows.integer(3), .until_ms = rows.optional_integer(4)});
    return found;
}

}  // namespace openrd::store
