#include "store/outbox_log.hpp"

#include "store/outbox_row.hpp"

#include <algorithm>

namespace openrd::store {

std::vector<Message> list_messages(db::Transaction& tx, const MessageFilter& filter, std::int64_t limit) {
    static constexpr db::Sql dead{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms, expires_at_ms, "
        "provider_ref, provider_code, segments, created_at_ms, updated_at_ms FROM outbox WHERE state IN ('failed', 'unknown_final', 'expired') AND ($1 = '' OR state = $1) ORDER "
        "BY created_at_ms DESC, message_id LIMIT $2"};
    static constexpr db::Sql any{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms, expires_at_ms, "
        "provider_ref, provider_code, segments, created_at_ms, updated_at_ms FROM outbox WHERE ($1 = '' OR state = $1) ORDER BY expires_at_ms DESC, message_id LIMIT $2"};
    return outbox_rows(tx.query(filter.dead ? dead : any, {filter.state, limit}));
}

std::optional<Message> find_message(db::Transaction& tx, std::string_view account_id, std::string_view message_id) {
    static constexpr db::Sql sql{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms, expires_at_ms, "
        "provider_ref, provider_code, segments, created_at_ms, updated_at_ms FROM outbox WHERE account_id = $1 AND message_id = $2"};
    auto rows = tx.query(sql, {account_id, message_id});
    return rows.next() ? std::optional(outbox_row(rows)) : std::nullopt;
}

std::optional<Message> search_message(db::Transaction& tx, std::string_view message_id) {
    static constexpr db::Sql sql{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms, expires_at_ms, "
        "provider_ref, provider_code, segments, created_at_ms, updated_at_ms FROM outbox WHERE message_id = $1"};
    auto rows = tx.query(sql, {message_id});
    return rows.next() ? std::optional(outbox_row(rows)) : std::nullopt;
}

std::vector<MessageEvent> list_message_events(db::Transaction& tx, std::string_view account_id, std::string_view message_id) {
    static constexpr db::Sql sql{"SELECT n, at_ms, kind, channel, code, attempt_id FROM outbox_events WHERE account_id = $1 AND message_id = $2 ORDER BY n"};
    std::vector<MessageEvent> events;
    for (auto rows = tx.query(sql, {account_id, message_id}); rows.next();)
        events.push_back({.n = rows.integer(0), .at_ms = rows.integer(1), .kind = rows.text(2), .channel = rows.text(3), .code = rows.text(4), .attempt_id = rows.text(5)});
    return events;
}

std::int64_t count_dead_messages(db::Transaction& tx, std::int64_t since_ms) {
    static constexpr db::Sql sql{"SELECT count(*) FROM outbox WHERE state IN ('failed', 'unknown_final', 'expired') AND created_at_ms > $1"};
    auto rows = tx.query(sql, {since_ms});
    return rows.next() ? rows.integer(0) : 0;
}

bool retry_message(db::Transaction& tx, const Message& seen, std::int64_t now_ms) {
    static constexpr db::Sql queue{
        "UPDATE outbox SET state = 'queued', channel = '', tries = 0, repeats = 0, receipt = '', not_before_ms = $5, lease_until_ms = 0, events = events + 1, updated_at_ms = $5 "
        "WHERE account_id = $1 AND message_id = $2 AND state = $3 AND attempt_id = $4 AND state IN ('failed', 'unknown_final', 'expired') RETURNING events"};
    static constexpr db::Sql say{"INSERT INTO outbox_events (account_id, message_id, n, at_ms, kind, channel, code, attempt_id) VALUES ($1, $2, $3, $4, 'retried', '', '', $5)"};
    std::int64_t n = 0;
    {
        auto rows = tx.query(queue, {seen.account_id, seen.message_id, seen.state, seen.attempt_id, now_ms});
        if (!rows.next()) return false;
        n = rows.integer(0);
    }
    tx.run(say, {seen.account_id, seen.message_id, n, now_ms, seen.attempt_id});
    tx.changed(db::Topic::outbox);
    return true;
}

std::optional<std::int64_t> oldest_message_end_ms(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT min(expires_at_ms) FROM outbox"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.optional_integer(0) : std::nullopt;
}

std::int64_t delete_old_messages(db::Transaction& tx, std::int64_t ended_before_ms, std::int64_t limit) {
    static constexpr db::Sql old{"SELECT account_id, message_id FROM outbox WHERE expires_at_ms < $1 ORDER BY expires_at_ms, message_id LIMIT $2"};
    static constexpr db::Sql its_events{"DELETE FROM outbox_events WHERE account_id = $1 AND message_id = $2"};
    static constexpr db::Sql itself{"DELETE FROM outbox WHERE account_id = $1 AND message_id = $2 AND expires_at_ms < $3"};
    std::vector<std::pair<std::string, std::string>> keys;
    for (auto rows = tx.query(old, {ended_before_ms, limit}); rows.next();) keys.emplace_back(rows.text(0), rows.text(1));
    // In the order of the keys, as everybody who changes several rows: two of them do not wait for each other.
    std::ranges::sort(keys);
    std::int64_t deleted = 0;
    for (const auto& [account_id, message_id] : keys) {
        tx.run(its_events, {account_id, message_id});
        deleted += tx.run(itself, {account_id, message_id, ended_before_ms});
    }
    return deleted;
}

std::vector<Message> list_unjudged_messages(db::Transaction& tx, std::int64_t from_ms, std::int64_t to_ms, std::int64_t limit) {
    static constexpr db::Sql sql{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms, expires_at_ms, "
        "provider_ref, provider_code, segments, created_at_ms, updated_at_ms FROM outbox WHERE expires_at_ms > $1 AND expires_at_ms <= $2 AND redeemed IS NULL AND state IN "
        "('accepted', 'delivered', 'undelivered', "
        "'unknown', 'unknown_final') ORDER BY expires_at_ms, message_id LIMIT $3"};
    return outbox_rows(tx.query(sql, {from_ms, to_ms, limit}));
}

std::optional<bool> judge_message(db::Transaction& tx, const Message& m) {
    static constexpr db::Sql consumed{"SELECT 1 FROM verifications WHERE account_id = $1 AND purpose = $2 AND verification_id = $3 AND state = 'consumed'"};
    static constexpr db::Sql keep{"UPDATE outbox SET redeemed = $3 WHERE account_id = $1 AND message_id = $2 AND redeemed IS NULL"};
    const bool redeemed = tx.query(consumed, {m.account_id, m.purpose, db::Bytes{m.verification_id}}).next();
    if (tx.run(keep, {m.account_id, m.message_id, std::int64_t{redeemed}}) == 0) return {};
    return redeemed;
}

}  // namespace openrd::store
