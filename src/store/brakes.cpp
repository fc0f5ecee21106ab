#include "store/brakes.hpp"

namespace openrd::store {

void insert_code_sample(db::Transaction& tx, std::string_view calling_code, std::string_view verification_id, std::int64_t created_at_ms, std::int64_t expires_at_ms,
                        std::int64_t forget_ms) {
    static constexpr db::Sql forget{"DELETE FROM code_samples WHERE calling_code = $1 AND expires_at_ms < $2"};
    static constexpr db::Sql insert{
        "INSERT INTO code_samples (calling_code, verification_id, created_at_ms, expires_at_ms, redeemed) VALUES ($1, $2, $3, $4, 0) ON CONFLICT DO NOTHING"};
    tx.run(forget, {calling_code, forget_ms});
    tx.run(insert, {calling_code, db::Bytes{verification_id}, created_at_ms, expires_at_ms});
}

void redeem_code_sample(db::Transaction& tx, std::string_view calling_code, std::string_view verification_id) {
    static constexpr db::Sql sql{"UPDATE code_samples SET redeemed = 1 WHERE calling_code = $1 AND verification_id = $2"};
    tx.run(sql, {calling_code, db::Bytes{verification_id}});
}

Redemption count_redemption(db::Transaction& tx, std::string_view calling_code, std::int64_t from_ms, std::int64_t now_ms, std::int64_t latest) {
    static constexpr db::Sql sql{
        "SELECT count(*), CAST(sum(redeemed) AS BIGINT) FROM (SELECT redeemed FROM code_samples WHERE calling_code = $1 AND expires_at_ms > $2 "
        "AND expires_at_ms <= $3 ORDER BY expires_at_ms DESC LIMIT $4) AS recent"};
    auto rows = tx.query(sql, {calling_code, from_ms, now_ms, latest});
    if (!rows.next()) return {};
    return {.codes = rows.integer(0), .redeemed = rows.optional_integer(1).value_or(0)};
}

std::optional<CountryBrake> find_country_brake(db::Transaction& tx, std::string_view calling_code) {
    static constexpr db::Sql sql{"SELECT paused_until_ms, counted_from_ms FROM country_brakes WHERE calling_code = $1"};
    auto rows = tx.query(sql, {calling_code});
    if (!rows.next()) return {};
    return CountryBrake{.calling_code = std::string(calling_code), .paused_until_ms = rows.integer(0), .counted_from_ms = rows.integer(1)};
}

void pause_country(db::Transaction& tx, std::string_view calling_code, std::int64_t now_ms, std::int64_t until_ms) {
    static constexpr db::Sql sql{
        "INSERT INTO country_brakes (calling_code, paused_until_ms, counted_from_ms) VALUES ($1, $2, $2) ON CONFLICT (calling_code) "
        "DO UPDATE SET paused_until_ms = excluded.paused_until_ms, counted_from_ms = excluded.counted_from_ms WHERE country_brakes.paused_until_ms <= $3"};
    tx.run(sql, {calling_code, until_ms, now_ms});
}

bool release_country(db::Transaction& tx, std::string_view calling_code, std::int64_t now_ms) {
    static constexpr db::Sql sql{"UPDATE country_brakes SET paused_until_ms = $2, counted_from_ms = $2 WHERE calling_code = $1 AND paused_until_ms > $2"};
    return tx.run(sql, {calling_code, now_ms}) != 0;
}

std::vector<CountryBrake> list_paused_countries(db::Transaction& tx, std::int64_t now_ms) {
    static constexpr db::Sql sql{"SELECT calling_code, paused_until_ms, counted_from_ms FROM country_brakes WHERE paused_until_ms > $1 ORDER BY calling_code"};
    std::vector<CountryBrake> found;
    for (auto rows = tx.query(sql, {now_ms}); rows.next();) found.push_back({.calling_code = rows.text(0), .paused_until_ms = rows.integer(1), .counted_from_ms = rows.integer(2)});
    return found;
}

}  // namespace openrd::store
