#include "store/audit_events.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <atomic>

namespace openrd::store {
namespace {

// Real nanoseconds, never twice in a process; two servers that draw the same one for the same account in the same millisecond of theirs
// draw again (db::Transaction::post).
std::int64_t next_turn() {
    static std::atomic<std::int64_t> last{0};
    const auto now = base::real_now_ms() * 1'000'000 + base::monotonic_ns() % 1'000'000;
    auto before = last.load(std::memory_order_relaxed);
    while (!last.compare_exchange_weak(before, std::max<std::int64_t>(before + 1, now), std::memory_order_relaxed)) {}
    return std::max<std::int64_t>(before + 1, now);
}

AuditEvent read(const db::Rows& rows) {
    return {.account_id = rows.text(0),
            .at_ms = rows.integer(1),
            .turn = rows.integer(2),
            .arrival = rows.integer(3),
            .event_id = rows.text(4),
            .service_name = rows.text(5),
            .event_name = rows.text(6),
            .event_rw = rows.text(7),
            .user_name = rows.text(8),
            .access_key_id = rows.text(9),
            .resource_type = rows.text(10),
            .resource_name = rows.text(11),
            .body = rows.text(12)};
}

Checkpoint read_checkpoint(const db::Rows& rows) {
    return {.tree_size = rows.integer(0), .root = rows.bytes(1), .frontier = rows.bytes(2), .note = rows.text(3), .created_at_ms = rows.integer(4)};
}

}  // namespace

void append_audit_event(db::Transaction& tx, AuditEvent& e, const std::optional<UsedNonce>& nonce) {
    static constexpr db::Sql numbered{
        "INSERT INTO audit_events (account_id, at_ms, turn, arrival, event_id, service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name, "
        "nonce_hash, nonce_until_ms, body) VALUES ($1, $2, $3, (SELECT coalesce(max(arrival), 0) + 1 FROM audit_events), $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
    static constexpr db::Sql to_be_numbered{
        "INSERT INTO audit_events (account_id, at_ms, turn, event_id, service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name, nonce_hash, "
        "nonce_until_ms, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"};
    e.turn = next_turn();
    tx.post(tx.shared() ? to_be_numbered : numbered,
            {e.account_id, e.at_ms, e.turn, e.event_id, e.service_name, e.event_name, e.event_rw, e.user_name, e.access_key_id, e.resource_type, e.resource_name,
             nonce ? db::Value(db::Bytes{nonce->hash}) : db::Value(nullptr), nonce ? db::Value(nonce->until_ms) : db::Value(nullptr), e.body});
    tx.changed(db::Topic::audit);
}

std::int64_t number_audit_events(db::Transaction& tx, std::int64_t after, std::int64_t limit) {
    static constexpr db::Sql waiting{"SELECT account_id, at_ms, turn FROM audit_events WHERE arrival IS NULL ORDER BY at_ms, turn LIMIT $1"};
    static constexpr db::Sql number{"UPDATE audit_events SET arrival = $4 WHERE account_id = $1 AND at_ms = $2 AND turn = $3"};
    std::int64_t arrival = after;
    for (auto rows = tx.query(waiting, {limit}); rows.next();) tx.post(number, {rows.text_view(0), rows.integer(1), rows.integer(2), ++arrival});
    return arrival - after;
}

bool has_events_to_number(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT 1 FROM audit_events WHERE arrival IS NULL LIMIT 1"};
    return tx.query(sql).next();
}

std::int64_t count_audit_events(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT count(*) FROM audit_events"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.integer(0) : 0;
}

std::vector<AuditEvent> list_audit_events(db::Transaction& tx, const EventQuery& q) {
    static constexpr db::Sql backward{
        "SELECT account_id, at_ms, turn, arrival, event_id, service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name, body FROM audit_events "
        "WHERE account_id = $1 AND at_ms >= $2 AND (at_ms, turn) < ($3, $4) "
        "AND ($5 = '' OR $6 = CASE $5 WHEN 'ServiceName' THEN service_name WHEN 'EventName' THEN event_name WHEN 'User' THEN user_name WHEN 'EventId' THEN event_id "
        "WHEN 'ResourceType' THEN resource_type WHEN 'ResourceName' THEN resource_name WHEN 'EventRW' THEN event_rw WHEN 'EventAccessKeyId' THEN access_key_id END) "
        "AND ($7 = '' OR $8 = CASE $7 WHEN 'ServiceName' THEN service_name WHEN 'EventName' THEN event_name WHEN 'User' THEN user_name WHEN 'EventId' THEN event_id "
        "WHEN 'ResourceType' THEN resource_type WHEN 'ResourceName' THEN resource_name WHEN 'EventRW' THEN event_rw WHEN 'EventAccessKeyId' THEN access_key_id END) "
        "ORDER BY at_ms DESC, turn DESC LIMIT $9"};
    static constexpr db::Sql forward{
        "SELECT account_id, at_ms, turn, arrival, event_id, service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name, body FROM audit_events "
        "WHERE account_id = $1 AND at_ms <= $2 AND (at_ms, turn) > ($3, $4) "
        "AND ($5 = '' OR $6 = CASE $5 WHEN 'ServiceName' THEN service_name WHEN 'EventName' THEN event_name WHEN 'User' THEN user_name WHEN 'EventId' THEN event_id "
        "WHEN 'ResourceType' THEN resource_type WHEN 'ResourceName' THEN resource_name WHEN 'EventRW' THEN event_rw WHEN 'EventAccessKeyId' THEN access_key_id END) "
        "AND ($7 = '' OR $8 = CASE $7 WHEN 'ServiceName' THEN service_name WHEN 'EventName' THEN event_name WHEN 'User' THEN user_name WHEN 'EventId' THEN event_id "
        "WHEN 'ResourceType' THEN resource_type WHEN 'ResourceName' THEN resource_name WHEN 'EventRW' THEN event_rw WHEN 'EventAccessKeyId' THEN access_key_id END) "
        "ORDER BY at_ms, turn LIMIT $9"};
    const auto filter = [&](std::size_t i) { return i < q.filters.size() ? q.filters[i] : EventFilter{}; };
    const EventFilter first = filter(0), second = filter(1);
    std::vector<AuditEvent> events;
    const auto add = [&](db::Rows rows) {
        while (rows.next()) events.push_back(read(rows));
    };
    if (q.newest_first) {
        const auto before = q.beyond.value_or(EventPlace{q.to_ms, INT64_MAX});
        add(tx.query(backward, {q.account_id, q.from_ms, before.at_ms, before.turn, first.key, first.value, second.key, second.value, q.limit}));
    } else {
        const auto after = q.beyond.value_or(EventPlace{q.from_ms, 0});
        add(tx.query(forward, {q.account_id, q.to_ms, after.at_ms, after.turn, first.key, first.value, second.key, second.value, q.limit}));
    }
    return events;
}

std::vector<AuditEvent> audit_events_after(db::Transaction& tx, std::int64_t arrival, std::int64_t limit) {
    static constexpr db::Sql sql{
        "SELECT account_id, at_ms, turn, arrival, event_id, service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name, body FROM audit_events "
        "WHERE arrival > $1 ORDER BY arrival LIMIT $2"};
    std::vector<AuditEvent> events;
    for (auto rows = tx.query(sql, {arrival, limit}); rows.next();) events.push_back(read(rows));
    return events;
}

std::int64_t last_arrival(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT coalesce(max(arrival), 0) FROM audit_events"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.integer(0) : 0;
}

std::vector<UsedNonce> used_nonces(db::Transaction& tx, std::int64_t since_ms, std::int64_t now_ms) {
    static constexpr db::Sql sql{"SELECT nonce_hash, nonce_until_ms, at_ms FROM audit_events WHERE arrival <= $1 ORDER BY arrival DESC"};
    // A clock that was moved leaves rows out of order: one old row alone is not the end.
    constexpr int enough_old_rows = 10'000;
    std::vector<UsedNonce> nonces;
    int old_rows = 0;
    for (auto rows = tx.query(sql, {INT64_MAX}); old_rows < enough_old_rows && rows.next();) {
        old_rows = rows.integer(2) < since_ms ? old_rows + 1 : 0;
        if (!rows.null(0) && rows.integer(1) > now_ms) nonces.push_back({rows.bytes(0), rows.integer(1)});
    }
    return nonces;
}

std::optional<Checkpoint> last_checkpoint(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT tree_size, root, frontier, note, created_at_ms FROM checkpoints ORDER BY tree_size DESC LIMIT 1"};
    auto rows = tx.query(sql);
    return rows.next() ? std::optional(read_checkpoint(rows)) : std::nullopt;
}

void insert_checkpoint(db::Transaction& tx, const Checkpoint& c) {
    static constexpr db::Sql sql{"INSERT INTO checkpoints (tree_size, root, frontier, note, created_at_ms) VALUES ($1, $2, $3, $4, $5)"};
    tx.run(sql, {c.tree_size, db::Bytes{c.root}, db::Bytes{c.frontier}, c.note, c.created_at_ms});
}

std::vector<Checkpoint> list_checkpoints(db::Transaction& tx, std::int64_t after_size, std::int64_t limit) {
    static constexpr db::Sql sql{"SELECT tree_size, root, frontier, note, created_at_ms FROM checkpoints WHERE tree_size > $1 ORDER BY tree_size LIMIT $2"};
    std::vector<Checkpoint> checkpoints;
    for (auto rows = tx.query(sql, {after_size, limit}); rows.next();) checkpoints.push_back(read_checkpoint(rows));
    return checkpoints;
}

}  // namespace openrd::store
