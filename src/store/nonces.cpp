#include "store/nonces.hpp"

namespace openrd::store {

bool take_nonce(db::Transaction& tx, const NonceOfWrite& n) {
    static constexpr db::Sql sql{"INSERT INTO nonces (account_id, nonce_hash, request_id, until_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (account_id, nonce_hash) DO NOTHING"};
    return tx.run(sql, {n.account_id, db::Bytes{n.hash}, n.request_id, n.until_ms}) != 0;
}

void post_nonce(db::Transaction& tx, const NonceOfWrite& n) {
    static constexpr db::Sql sql{"INSERT INTO nonces (account_id, nonce_hash, request_id, until_ms) VALUES ($1, $2, $3, $4)"};
    tx.post(sql, {n.account_id, db::Bytes{n.hash}, n.request_id, n.until_ms});
}

bool settle_nonce(db::Transaction& tx, const NonceOfWrite& n) {
    static constexpr db::Sql touch{"UPDATE nonces SET until_ms = until_ms WHERE account_id = $1 AND nonce_hash = $2 RETURNING request_id"};
    if (take_nonce(tx, n)) return false;
    bool ours = false;
    for (auto rows = tx.query(touch, {n.account_id, db::Bytes{n.hash}}); rows.next();) ours = rows.text_view(0) == n.request_id;
    return ours;
}

void delete_old_nonces(db::Transaction& tx, std::int64_t now_ms) {
    static constexpr db::Sql sql{"DELETE FROM nonces WHERE until_ms <= $1"};
    tx.run(sql, {now_ms});
}

bool has_old_nonces(db::Transaction& tx, std::int64_t now_ms) {
    static constexpr db::Sql sql{"SELECT 1 FROM nonces WHERE until_ms <= $1 LIMIT 1"};
    return tx.query(sql, {now_ms}).next();
}

}  // namespace openrd::store
