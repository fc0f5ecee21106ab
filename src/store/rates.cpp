#include "store/rates.hpp"

namespace openrd::store {

bool count_in_window(db::Transaction& tx, std::string_view bucket, std::int64_t window_ms, std::int64_t expires_at_ms, std::int64_t limit, std::int64_t amount) {
    static constexpr db::Sql sql{
        "INSERT INTO rates (bucket, window_ms, n, expires_at_ms) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (bucket, window_ms) DO UPDATE SET n = rates.n + excluded.n WHERE rates.n <= $5"};
    if (amount > limit) return false;  // the first row of a window is inserted without a look at the limit
    return tx.run(sql, {bucket, window_ms, amount, expires_at_ms, limit - amount}) != 0;
}

void uncount_in_window(db::Transaction& tx, std::string_view bucket, std::int64_t window_ms) {
    static constexpr db::Sql sql{"UPDATE rates SET n = n - 1 WHERE bucket = $1 AND window_ms = $2 AND n > 0"};
    tx.run(sql, {bucket, window_ms});
}

std::int64_t counted_in_window(db::Transaction& tx, std::string_view bucket, std::int64_t window_ms) {
    static constexpr db::Sql sql{"SELECT n FROM rates WHERE bucket = $1 AND window_ms = $2"};
    auto rows = tx.query(sql, {bucket, window_ms});
    return rows.next() ? rows.integer(0) : 0;
}

bool has_old_windows(db::Transaction& tx, std::int64_t now_ms) {
    static constexpr db::Sql sql{"SELECT 1 FROM rates WHERE expires_at_ms <= $1 LIMIT 1"};
    return tx.query(sql, {now_ms}).next();
}

std::int64_t delete_old_windows(db::Transaction& tx, std::int64_t now_ms, std::int64_t limit) {
    static constexpr db::Sql sql{"DELETE FROM rates WHERE (bucket, window_ms) IN (SELECT bucket, window_ms FROM rates WHERE expires_at_ms <= $1 ORDER BY expires_at_ms LIMIT $2)"};
    return tx.run(sql, {now_ms, limit});
}

bool count_phone_use(db::Transaction& tx, std::span<const std::string> phone_indexes, std::int64_t limit) {
    static constexpr db::Sql older{"SELECT n FROM phone_uses WHERE phone_index = $1 /*for update*/"};
    static constexpr db::Sql sql{"INSERT INTO phone_uses (phone_index, n) VALUES ($1, 1) ON CONFLICT (phone_index) DO UPDATE SET n = phone_uses.n + 1 WHERE phone_uses.n < $2"};
    for (const auto& index : phone_indexes.subspan(1))
        if (auto rows = tx.query(older, {db::Bytes{index}}); rows.next()) limit -= rows.integer(0);
    return limit > 0 && tx.run(sql, {db::Bytes{phone_indexes.front()}, limit}) != 0;
}

bool count_phone_use(db::Transaction& tx, const std::string& phone_index, std::int64_t limit) { return count_phone_use(tx, std::span(&phone_index, 1), limit); }

void release_phone_use(db::Transaction& tx, std::string_view phone_index) {
    static constexpr db::Sql sql{"UPDATE phone_uses SET n = n - 1 WHERE phone_index = $1 AND n > 0"};
    tx.run(sql, {db::Bytes{phone_index}});
}

}  // namespace openrd::store
