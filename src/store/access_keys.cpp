#include "store/access_keys.hpp"

#include "base/text.hpp"

namespace openrd::store {
namespace {

AccessKey read(const db::Rows& rows) {
    return {.access_key_id = rows.text(0),
            .account_id = rows.text(1),
            .user_id = rows.text(2),
            .secret_sealed = rows.bytes(3),
            .status = rows.text(4),
            .created_at_ms = rows.integer(5)};
}

}  // namespace

std::optional<AccessKey> find_access_key(db::Transaction& tx, std::string_view access_key_id) {
    static constexpr db::Sql sql{"SELECT access_key_id, account_id, user_id, secret_sealed, status, created_at_ms FROM access_keys WHERE access_key_id = $1"};
    // It comes from a header, as the client sent it: not always a text, which an engine would refuse.
    if (!base::is_clean_utf8(access_key_id)) return {};
    auto rows = tx.query(sql, {access_key_id});
    return rows.next() ? std::optional(read(rows)) : std::nullopt;
}

void insert_access_key(db::Transaction& tx, const AccessKey& k) {
    static constexpr db::Sql sql{"INSERT INTO access_keys (access_key_id, account_id, user_id, secret_sealed, status, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6)"};
    tx.run(sql, {k.access_key_id, k.account_id, k.user_id, db::Bytes{k.secret_sealed}, k.status, k.created_at_ms});
    tx.changed(db::Topic::identities);
}

std::vector<AccessKey> list_access_keys(db::Transaction& tx, std::string_view account_id) {
    static constexpr db::Sql sql{
        "SELECT access_key_id, account_id, user_id, secret_sealed, status, created_at_ms FROM access_keys WHERE account_id = $1 ORDER BY user_id, access_key_id"};
    std::vector<AccessKey> keys;
    for (auto rows = tx.query(sql, {account_id}); rows.next();) keys.push_back(read(rows));
    return keys;
}

bool set_access_key_status(db::Transaction& tx, std::string_view access_key_id, std::string_view status) {
    static constexpr db::Sql sql{"UPDATE access_keys SET status = $2 WHERE access_key_id = $1"};
    tx.changed(db::Topic::identities);
    return tx.run(sql, {access_key_id, status}) != 0;
}

}  // namespace openrd::store
