#include "store/verifications.hpp"

namespace openrd::store {

std::optional<Verification> find_verification(db::Transaction& tx, std::string_view account_id, std::string_view purpose) {
    static constexpr db::Sql sql{
        "SELECT account_id, purpose, directory_id, verification_id, code_key_id, phone_index, phone_sealed, state, attempts, max_attempts, sends, last_sent_at_ms, created_by, "
        "created_at_ms, "
        "expires_at_ms, day, sends_of_day, failures, locked_until_ms FROM verifications WHERE account_id = $1 AND purpose = $2"};
    auto rows = tx.query(sql, {account_id, purpose});
    if (!rows.next()) return {};
    return Verification{.account_id = rows.text(0),
                        .purpose = rows.text(1),
                        .directory_id = rows.text(2),
                        .verification_id = rows.bytes(3),
                        .code_key_id = rows.integer(4),
                        .phone_index = rows.bytes(5),
                        .phone_sealed = rows.bytes(6),
                        .state = rows.text(7),
                        .attempts = rows.integer(8),
                        .max_attempts = rows.integer(9),
                        .sends = rows.integer(10),
                        .last_sent_at_ms = rows.integer(11),
                        .created_by = rows.text(12),
                        .created_at_ms = rows.integer(13),
                        .expires_at_ms = rows.integer(14),
                        .day = rows.integer(15),
                        .sends_of_day = rows.integer(16),
                        .failures = rows.integer(17),
                        .locked_until_ms = rows.integer(18)};
}

void put_verification(db::Transaction& tx, const Verification& v) {
    static constexpr db::Sql sql{
        "INSERT INTO verifications (account_id, purpose, directory_id, verification_id, code_key_id, phone_index, phone_sealed, state, attempts, max_attempts, sends, "
        "last_sent_at_ms, "
        "created_by, created_at_ms, expires_at_ms, consumed_at_ms, day, sends_of_day, failures, locked_until_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, NULL, $16, $17, $18, $19) "
        "ON CONFLICT (account_id, purpose) DO UPDATE SET directory_id = excluded.directory_id, verification_id = excluded.verification_id, code_key_id = excluded.code_key_id, "
        "phone_index = excluded.phone_index, phone_sealed = excluded.phone_sealed, state = excluded.state, attempts = excluded.attempts, max_attempts = excluded.max_attempts, "
        "sends = excluded.sends, last_sent_at_ms = excluded.last_sent_at_ms, created_by = excluded.created_by, created_at_ms = excluded.created_at_ms, "
        "expires_at_ms = excluded.expires_at_ms, consumed_at_ms = NULL, day = excluded.day, sends_of_day = excluded.sends_of_day, failures = excluded.failures, "
        "locked_until_ms = excluded.locked_until_ms"};
    tx.post(sql, {v.account_id, v.purpose, v.directory_id, db::Bytes{v.verification_id}, v.code_key_id, db::Bytes{v.phone_index}, db::Bytes{v.phone_sealed}, v.state, v.attempts,
                  v.max_attempts, v.sends, v.last_sent_at_ms, v.created_by, v.created_at_ms, v.expires_at_ms, v.day, v.sends_of_day, v.failures, v.locked_until_ms});
}

std::optional<Attempt> count_attempt(db::Transaction& tx, std::string_view account_id, std::string_view purpose, std::int64_t now_ms, const base::CodeLimits& limits) {
    static constexpr db::Sql sql{
        "UPDATE verifications SET attempts = attempts + 1, failures = failures + 1, "
        "locked_until_ms = CASE WHEN failures + 1 >= $6 THEN $3 + $7 WHEN failures + 1 >= $4 THEN $3 + $5 ELSE locked_until_ms END "
        "WHERE account_id = $1 AND purpose = $2 AND state = 'pending' AND expires_at_ms > $3 AND expires_at_ms <= $9 AND attempts < max_attempts AND failures < $8 AND "
        "locked_until_ms <= $3 "
        "RETURNING verification_id, code_key_id, phone_index"};
    auto rows = tx.query(sql, {account_id, purpose, now_ms, std::int64_t{limits.first_lock_failures}, limits.first_lock_ms, std::int64_t{limits.second_lock_failures},
                               limits.second_lock_ms, std::int64_t{limits.final_lock_failures}, latest_expiry_ms(now_ms)});
    if (!rows.next()) return {};
    Attempt attempt{rows.bytes(0), rows.integer(1), rows.bytes(2)};
    while (rows.next()) {  // to the end: only then has every engine written
    }
    return attempt;
}

bool consume_verification(db::Transaction& tx, std::string_view account_id, std::string_view purpose, std::string_view verification_id, std::int64_t now_ms) {
    static constexpr db::Sql sql{
        "UPDATE verifications SET state = 'consumed', consumed_at_ms = $4, failures = 0, locked_until_ms = 0 "
        "WHERE account_id = $1 AND purpose = $2 AND verification_id = $3 AND state = 'pending'"};
    return tx.run(sql, {account_id, purpose, db::Bytes{verification_id}, now_ms}) == 1;
}

bool cancel_verification(db::Transaction& tx, std::string_view account_id, std::string_view purpose, std::string_view phone_index) {
    static constexpr db::Sql sql{"UPDATE verifications SET state = 'cancelled' WHERE account_id = $1 AND purpose = $2 AND phone_index = $3 AND state = 'pending'"};
    return tx.run(sql, {account_id, purpose, db::Bytes{phone_index}}) != 0;
}

bool lock_verification(db::Transaction& tx, std::string_view account_id, std::string_view directory_id, std::string_view purpose, std::int64_t now_ms) {
    // The guard stands in the row of the code: an account that was never sent one gets a row without.
    static constexpr db::Sql sql{
        "INSERT INTO verifications (account_id, purpose, directory_id, verification_id, code_key_id, phone_index, phone_sealed, state, attempts, max_attempts, sends, "
        "last_sent_at_ms, created_by, created_at_ms, expires_at_ms, consumed_at_ms, day, sends_of_day, failures, locked_until_ms) "
        "VALUES ($1, $2, $3, $4, 0, $4, $4, 'cancelled', 0, 0, 0, 0, '', $5, 0, NULL, 0, 0, 0, $6) "
        "ON CONFLICT (account_id, purpose) DO UPDATE SET locked_until_ms = excluded.locked_until_ms WHERE verifications.locked_until_ms < excluded.locked_until_ms"};
    return tx.run(sql, {account_id, purpose, directory_id, db::Bytes{std::string_view("")}, now_ms, locked_for_good_ms}) != 0;
}

bool unlock_verification(db::Transaction& tx, std::string_view account_id, std::string_view purpose, std::int64_t now_ms) {
    static constexpr db::Sql sql{
        "UPDATE verifications SET failures = 0, locked_until_ms = 0, state = CASE WHEN state = 'pending' AND attempts >= max_attempts THEN 'cancelled' ELSE state END "
        "WHERE account_id = $1 AND purpose = $2 AND (failures > 0 OR locked_until_ms > $3)"};
    return tx.run(sql, {account_id, purpose, now_ms}) != 0;
}

}  // namespace openrd::store
