#include "store/outbox.hpp"

namespace openrd::store {

void insert_message(db::Transaction& tx, const Message& m) {
    static constexpr db::Sql sql{
        "INSERT INTO outbox (account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, tries, not_before_ms, lease_until_ms, expires_at_ms, "
        "provider_ref, "
        "provider_code, created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 0, $10, '', '', $11, $11)"};
    tx.run(sql, {m.account_id, m.message_id, m.purpose, db::Bytes{m.verification_id}, m.code_key_id, db::Bytes{m.phone_sealed}, m.state, m.channel, m.not_before_ms,
                 m.expires_at_ms, m.created_at_ms});
    tx.changed(db::Topic::outbox);
}

std::vector<Message> claim_messages(db::Transaction& tx, std::int64_t now_ms, std::int64_t lease_until_ms, std::int64_t limit) {
    static constexpr db::Sql due{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, tries, not_before_ms, lease_until_ms, expires_at_ms, provider_ref, "
        "provider_code, "
        "created_at_ms FROM outbox WHERE state IN ('queued', 'sending') AND not_before_ms <= $1 AND lease_until_ms <= $1 ORDER BY not_before_ms, message_id LIMIT $2"};
    static constexpr db::Sql lease{
        "UPDATE outbox SET state = 'sending', tries = tries + 1, lease_until_ms = $3, updated_at_ms = $4 WHERE account_id = $1 AND message_id = $2 AND lease_until_ms <= $4 "
        "AND state IN ('queued', 'sending')"};
    std::vector<Message> messages;
    for (auto rows = tx.query(due, {now_ms, limit}); rows.next();)
        messages.push_back({.account_id = rows.text(0),
                            .message_id = rows.text(1),
                            .purpose = rows.text(2),
                            .verification_id = rows.bytes(3),
                            .code_key_id = rows.integer(4),
                            .phone_sealed = rows.bytes(5),
                            .state = rows.text(6),
                            .channel = rows.text(7),
                            .tries = rows.integer(8),
                            .not_before_ms = rows.integer(9),
                            .lease_until_ms = rows.integer(10),
                            .expires_at_ms = rows.integer(11),
                            .provider_ref = rows.text(12),
                            .provider_code = rows.text(13),
                            .created_at_ms = rows.integer(14)});
    std::erase_if(messages, [&](const Message& m) { return tx.run(lease, {m.account_id, m.message_id, lease_until_ms, now_ms}) == 0; });
    return messages;
}

void settle_message(db::Transaction& tx, const Message& m, std::string_view state, std::int64_t now_ms) {
    static constexpr db::Sql sql{
        "UPDATE outbox SET state = $3, channel = $4, not_before_ms = $5, lease_until_ms = 0, provider_ref = $6, provider_code = $7, updated_at_ms = $8 "
        "WHERE account_id = $1 AND message_id = $2"};
    tx.run(sql, {m.account_id, m.message_id, state, m.channel, m.not_before_ms, m.provider_ref, m.provider_code, now_ms});
}

std::optional<std::int64_t> next_message_due_ms(db::Transaction& tx) {
    static constexpr db::Sql sql{
        "SELECT min(CASE WHEN lease_until_ms > not_before_ms THEN lease_until_ms ELSE not_before_ms END) FROM outbox WHERE state IN ('queued', 'sending')"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.optional_integer(0) : std::nullopt;
}

std::int64_t count_messages(db::Transaction& tx, std::string_view state) {
    static constexpr db::Sql sql{"SELECT count(*) FROM outbox WHERE state = $1"};
    auto rows = tx.query(sql, {state});
    return rows.next() ? rows.integer(0) : 0;
}

}  // namespace openrd::store
