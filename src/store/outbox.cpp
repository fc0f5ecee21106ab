#include "store/outbox.hpp"

#include "store/outbox_row.hpp"

namespace openrd::store {
namespace {

struct Event {
    std::int64_t n = 0;
    std::string_view kind, channel, code, attempt_id;
};

void write_event(db::Transaction& tx, const Message& m, const Event& event, std::int64_t now_ms) {
    static constexpr db::Sql sql{"INSERT INTO outbox_events (account_id, message_id, n, at_ms, kind, channel, code, attempt_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
    tx.run(sql, {m.account_id, m.message_id, event.n, now_ms, event.kind, event.channel, event.code, event.attempt_id});
}

}  // namespace

void insert_message(db::Transaction& tx, const Message& m) {
    static constexpr db::Sql sql{
        "INSERT INTO outbox (account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, tries, not_before_ms, lease_until_ms, expires_at_ms, "
        "provider_ref, provider_code, created_at_ms, updated_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 0, $10, '', '', $11, $11)"};
    tx.post(sql, {m.account_id, m.message_id, m.purpose, db::Bytes{m.verification_id}, m.code_key_id, db::Bytes{m.phone_sealed}, m.state, m.channel, m.not_before_ms,
                  m.expires_at_ms, m.created_at_ms});
    tx.changed(db::Topic::outbox);
}

std::vector<Message> list_due_messages(db::Transaction& tx, std::int64_t now_ms, const DueAfter& after, std::int64_t limit) {
    static constexpr db::Sql sql{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms, expires_at_ms, "
        "provider_ref, provider_code, segments, created_at_ms, updated_at_ms FROM outbox WHERE state IN ('queued', 'sending', 'unknown') AND not_before_ms <= $1 AND "
        "(not_before_ms, message_id) > ($2, $3) "
        "ORDER BY not_before_ms, message_id LIMIT $4"};
    return outbox_rows(tx.query(sql, {now_ms, after.not_before_ms, after.message_id, limit}));
}

std::optional<std::int64_t> next_message_due_ms(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT min(not_before_ms) FROM outbox WHERE state IN ('queued', 'sending', 'unknown')"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.optional_integer(0) : std::nullopt;
}

bool claim_message(db::Transaction& tx, const Message& seen, std::string_view attempt_id, std::string_view channel, std::int64_t lease_until_ms, std::int64_t now_ms) {
    // A message that is asked about stays unknown, and that it is asked is no event.
    static constexpr db::Sql ask{
        "UPDATE outbox SET attempt_id = $5, lease_until_ms = $6, not_before_ms = $6, updated_at_ms = $7 "
        "WHERE account_id = $1 AND message_id = $2 AND state = 'unknown' AND attempt_id = $3 AND not_before_ms = $4"};
    static constexpr db::Sql take{
        "UPDATE outbox SET state = 'sending', channel = $5, attempt_id = $6, tries = tries + 1, lease_until_ms = $7, not_before_ms = $7, events = events + 1, updated_at_ms = $8 "
        "WHERE account_id = $1 AND message_id = $2 AND state = 'queued' AND attempt_id = $3 AND not_before_ms = $4 RETURNING events"};
    if (seen.state == message_unknown) return tx.run(ask, {seen.account_id, seen.message_id, seen.attempt_id, seen.not_before_ms, attempt_id, lease_until_ms, now_ms}) == 1;
    std::int64_t n = 0;
    {
        auto rows = tx.query(take, {seen.account_id, seen.message_id, seen.attempt_id, seen.not_before_ms, channel, attempt_id, lease_until_ms, now_ms});
        if (!rows.next()) return false;
        n = rows.integer(0);
    }
    write_event(tx, seen, {.n = n, .kind = message_sending, .channel = channel, .code = "", .attempt_id = attempt_id}, now_ms);
    return true;
}

bool change_message(db::Transaction& tx, const Message& seen, const MessageChange& to, std::int64_t now_ms) {
    static constexpr db::Sql sql{
        "UPDATE outbox SET state = CASE WHEN receipt <> '' AND $6 = 'unknown' THEN receipt ELSE $6 END, channel = $7, not_before_ms = $8, lease_until_ms = 0, tries = $9, "
        "repeats = $10, provider_ref = $11, provider_code = $12, segments = $13, events = events + 1, updated_at_ms = $14 "
        "WHERE account_id = $1 AND message_id = $2 AND state = $3 AND attempt_id = $4 AND not_before_ms = $5 RETURNING events"};
    std::int64_t n = 0;
    {
        auto rows = tx.query(sql, {seen.account_id, seen.message_id, seen.state, seen.attempt_id, seen.not_before_ms, to.state, to.channel, to.not_before_ms, to.tries, to.repeats,
                                   to.provider_ref, to.provider_code, to.segments, now_ms});
        if (!rows.next()) return false;
        n = rows.integer(0);
    }
    write_event(tx, seen, {.n = n, .kind = to.kind.empty() ? to.state : to.kind, .channel = to.channel, .code = to.provider_code, .attempt_id = seen.attempt_id}, now_ms);
    tx.changed(db::Topic::outbox);
    return true;
}

std::optional<std::string> settle_message(db::Transaction& tx, const Message& claimed, const MessageChange& to, std::int64_t now_ms) {
    // An unknown one is still its own while nobody else has taken it.
    static constexpr db::Sql sql{
        "UPDATE outbox SET state = CASE WHEN receipt <> '' AND $4 IN ('accepted', 'unknown') THEN receipt ELSE $4 END, channel = $5, not_before_ms = $6, lease_until_ms = 0, "
        "tries = $7, repeats = $8, provider_ref = $9, provider_code = $10, segments = $11, events = events + $12, updated_at_ms = $13 "
        "WHERE account_id = $1 AND message_id = $2 AND attempt_id = $3 AND state IN ('sending', 'unknown') RETURNING state, events"};
    std::string state;
    std::int64_t n = 0;
    {
        auto rows = tx.query(sql, {claimed.account_id, claimed.message_id, claimed.attempt_id, to.state, to.channel, to.not_before_ms, to.tries, to.repeats, to.provider_ref,
                                   to.provider_code, to.segments, std::int64_t{to.kind.empty() ? 0 : 1}, now_ms});
        if (!rows.next()) return {};
        state = rows.text(0);
        n = rows.integer(1);
    }
    if (!to.kind.empty()) write_event(tx, claimed, {.n = n, .kind = to.kind, .channel = to.channel, .code = to.provider_code, .attempt_id = claimed.attempt_id}, now_ms);
    return state;
}

std::optional<ReceiptEffect> receive_receipt(db::Transaction& tx, std::string_view account_id, std::string_view message_id, std::string_view channel, std::string_view says,
                                             std::string_view provider_code, std::int64_t now_ms) {
    static constexpr db::Sql find{
        "SELECT account_id, message_id, purpose, verification_id, code_key_id, phone_sealed, state, channel, attempt_id, tries, repeats, not_before_ms, expires_at_ms, "
        "provider_ref, provider_code, segments, created_at_ms, updated_at_ms FROM outbox WHERE account_id = $1 AND message_id = $2 AND channel = $3 /*for update*/"};
    // While its sender has not written down what he knows, what the receipt says is kept beside the state. `accepted` is said of many
    // that are delivered already.
    static constexpr db::Sql keep{
        "UPDATE outbox SET receipt = $3, events = events + 1, updated_at_ms = $4 WHERE account_id = $1 AND message_id = $2 AND state = 'sending' AND receipt IN ('', 'accepted') "
        "AND receipt <> $3 RETURNING events"};
    static constexpr db::Sql move{
        "UPDATE outbox SET state = $3, provider_code = $4, not_before_ms = 0, lease_until_ms = 0, events = events + 1, updated_at_ms = $5 WHERE account_id = $1 AND "
        "message_id = $2 AND (state IN ('unknown', 'unknown_final') OR (state = 'accepted' AND $3 <> 'accepted')) RETURNING events"};
    std::optional<ReceiptEffect> effect;
    {
        auto rows = tx.query(find, {account_id, message_id, channel});
        if (!rows.next()) return {};
        effect.emplace(ReceiptEffect{.before = {}, .after = {}, .message = outbox_row(rows)});
    }
    const auto& message = effect->message;
    effect->before = effect->after = message.state;
    std::optional<std::int64_t> n;
    if (message.state == message_sending) {
        auto rows = tx.query(keep, {account_id, message_id, says, now_ms});
        if (rows.next()) n = rows.integer(0);
    } else {
        auto rows = tx.query(move, {account_id, message_id, says, provider_code, now_ms});
        if (rows.next()) {
            n = rows.integer(0);
            effect->after = says;
        }
    }
    if (n) {
        const auto kind = "receipt_" + std::string(says);
        write_event(tx, message, {.n = *n, .kind = kind, .channel = channel, .code = provider_code, .attempt_id = message.attempt_id}, now_ms);
    }
    return effect;
}

std::vector<std::pair<std::string, std::int64_t>> count_messages_by_state(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT state, count(*) FROM outbox GROUP BY state ORDER BY state"};
    std::vector<std::pair<std::string, std::int64_t>> counts;
    for (auto rows = tx.query(sql); rows.next();) counts.emplace_back(rows.text(0), rows.integer(1));
    return counts;
}

std::int64_t count_messages(db::Transaction& tx, std::string_view state) {
    static constexpr db::Sql sql{"SELECT count(*) FROM outbox WHERE state = $1"};
    auto rows = tx.query(sql, {state});
    return rows.next() ? rows.integer(0) : 0;
}

}  // namespace openrd::store
