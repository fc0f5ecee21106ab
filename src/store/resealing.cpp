#include "store/resealing.hpp"

#include "store/subjects.hpp"

namespace openrd::store {
namespace {

std::size_t at(SealedColumn column) { return static_cast<std::size_t>(column); }

void move_use(db::Transaction& tx, std::string_view from, std::string_view to) {
    static constexpr db::Sql less{"UPDATE phone_uses SET n = n - 1 WHERE phone_index = $1 AND n > 0"};
    static constexpr db::Sql more{"INSERT INTO phone_uses (phone_index, n) VALUES ($1, 1) ON CONFLICT (phone_index) DO UPDATE SET n = phone_uses.n + 1"};
    if (tx.run(less, {db::Bytes{from}}) == 0) return;  // uses are counted only where a limit asks for it
    tx.run(more, {db::Bytes{to}});
    delete_unused_phone(tx, from);
}

void move_subject(db::Transaction& tx, std::string_view log_account_id, std::string_view from, std::string_view to) {
    static constexpr db::Sql there{"SELECT 1 FROM subjects WHERE account_id = $1 AND phone_index = $2"};
    static constexpr db::Sql move{"UPDATE subjects SET phone_index = $3 WHERE account_id = $1 AND phone_index = $2"};
    if (!tx.query(there, {log_account_id, db::Bytes{to}}).next()) tx.run(move, {log_account_id, db::Bytes{from}, db::Bytes{to}});
}

}  // namespace

keys::Purpose purpose_of(SealedColumn column) {
    switch (column) {
        case SealedColumn::access_key:
            return keys::Purpose::access_key_secret;
        case SealedColumn::message_phone:
            return keys::Purpose::outbox;
        case SealedColumn::subject_key:
            return keys::Purpose::subject;
        default:
            return keys::Purpose::phone;
    }
}

const std::string& associated_with(SealedColumn column, const SealedValue& value) {
    const bool second = column == SealedColumn::member_phone || column == SealedColumn::message_phone || column == SealedColumn::subject_key;
    return second ? value.second : value.first;
}

std::vector<SealedValue> list_sealed(db::Transaction& tx, SealedColumn column, const SealedValue& after, std::int64_t limit) {
    // $2 is every statement's, though a key of one column needs it not.
    static constexpr db::Sql pages[] = {
        {"SELECT access_key_id, '', secret_sealed FROM access_keys WHERE (access_key_id, '') > ($1, $2) ORDER BY access_key_id LIMIT $3"},
        {"SELECT account_id, '', phone_sealed FROM accounts WHERE (account_id, '') > ($1, $2) AND phone_sealed IS NOT NULL ORDER BY account_id LIMIT $3"},
        {"SELECT directory_id, account_id, phone_sealed FROM members WHERE (directory_id, account_id) > ($1, $2) AND phone_sealed IS NOT NULL "
         "ORDER BY directory_id, account_id LIMIT $3"},
        {"SELECT account_id, purpose, phone_sealed FROM verifications WHERE (account_id, purpose) > ($1, $2) ORDER BY account_id, purpose LIMIT $3"},
        {"SELECT account_id, message_id, phone_sealed FROM outbox WHERE (account_id, message_id) > ($1, $2) ORDER BY account_id, message_id LIMIT $3"},
        {"SELECT account_id, subject_ref, key_sealed FROM subjects WHERE (account_id, subject_ref) > ($1, $2) AND key_sealed IS NOT NULL ORDER BY account_id, subject_ref LIMIT "
         "$3"},
    };
    std::vector<SealedValue> found;
    for (auto rows = tx.query(pages[at(column)], {after.first, after.second, limit}); rows.next();)
        found.push_back({.first = rows.text(0), .second = rows.text(1), .sealed = rows.bytes(2)});
    return found;
}

bool replace_sealed(db::Transaction& tx, SealedColumn column, const SealedValue& old, std::string_view sealed) {
    static constexpr db::Sql replacements[] = {
        {"UPDATE access_keys SET secret_sealed = $4 WHERE access_key_id = $1 AND $2 = '' AND secret_sealed = $3"},
        {"UPDATE accounts SET phone_sealed = $4 WHERE account_id = $1 AND $2 = '' AND phone_sealed = $3"},
        {"UPDATE members SET phone_sealed = $4 WHERE directory_id = $1 AND account_id = $2 AND phone_sealed = $3"},
        {"UPDATE verifications SET phone_sealed = $4 WHERE account_id = $1 AND purpose = $2 AND phone_sealed = $3"},
        {"UPDATE outbox SET phone_sealed = $4 WHERE account_id = $1 AND message_id = $2 AND phone_sealed = $3"},
        {"UPDATE subjects SET key_sealed = $4 WHERE account_id = $1 AND subject_ref = $2 AND key_sealed = $3"},
    };
    return tx.run(replacements[at(column)], {old.first, old.second, db::Bytes{old.sealed}, db::Bytes{sealed}}) != 0;
}

std::vector<IndexedPhone> list_indexed(db::Transaction& tx, IndexedRow kind, const IndexedPhone& after, std::int64_t limit) {
    static constexpr db::Sql members{
        "SELECT directory_id, account_id, account_id, directory_id, phone_index, phone_sealed FROM members WHERE (directory_id, account_id) > ($1, $2) AND phone_index IS NOT NULL "
        "ORDER BY directory_id, account_id LIMIT $3"};
    static constexpr db::Sql verifications{
        "SELECT account_id, purpose, account_id, directory_id, phone_index, phone_sealed FROM verifications WHERE (account_id, purpose) > ($1, $2) ORDER BY account_id, purpose "
        "LIMIT $3"};
    std::vector<IndexedPhone> found;
    for (auto rows = tx.query(kind == IndexedRow::member ? members : verifications, {after.first, after.second, limit}); rows.next();)
        found.push_back(
            {.first = rows.text(0), .second = rows.text(1), .account_id = rows.text(2), .directory_id = rows.text(3), .phone_index = rows.bytes(4), .phone_sealed = rows.bytes(5)});
    return found;
}

bool move_index(db::Transaction& tx, IndexedRow kind, const IndexedPhone& row, std::string_view log_account_id, std::string_view phone_index) {
    static constexpr db::Sql member{"UPDATE members SET phone_index = $4 WHERE directory_id = $1 AND account_id = $2 AND phone_index = $3"};
    static constexpr db::Sql verification{"UPDATE verifications SET phone_index = $4 WHERE account_id = $1 AND purpose = $2 AND phone_index = $3"};
    const bool of_member = kind == IndexedRow::member;
    if (tx.run(of_member ? member : verification, {row.first, row.second, db::Bytes{row.phone_index}, db::Bytes{phone_index}}) == 0) return false;
    if (of_member) move_use(tx, row.phone_index, phone_index);
    move_subject(tx, log_account_id, row.phone_index, phone_index);
    return true;
}

std::vector<IndexOnly> list_subject_indexes(db::Transaction& tx, const IndexOnly& after, std::int64_t limit) {
    static constexpr db::Sql sql{
        "SELECT account_id, phone_index, subject_ref FROM subjects WHERE (account_id, subject_ref) > ($1, $2) AND destroyed_at_ms IS NULL ORDER BY account_id, subject_ref LIMIT "
        "$3"};
    std::vector<IndexOnly> found;
    for (auto rows = tx.query(sql, {after.first, after.second, limit}); rows.next();)
        found.push_back({.first = rows.text(0), .phone_index = rows.bytes(1), .second = rows.text(2)});
    return found;
}

bool unlink_subject(db::Transaction& tx, const IndexOnly& subject) {
    static constexpr db::Sql sql{"UPDATE subjects SET phone_index = $4 WHERE account_id = $1 AND subject_ref = $2 AND phone_index = $3"};
    return tx.run(sql, {subject.first, subject.second, db::Bytes{subject.phone_index}, db::Bytes{no_phone_index()}}) != 0;
}

std::vector<IndexOnly> list_phone_uses(db::Transaction& tx, const IndexOnly& after, std::int64_t limit) {
    static constexpr db::Sql sql{"SELECT phone_index, n FROM phone_uses WHERE phone_index > $1 ORDER BY phone_index LIMIT $2"};
    std::vector<IndexOnly> found;
    for (auto rows = tx.query(sql, {db::Bytes{after.phone_index}, limit}); rows.next();)
        found.push_back({.first = {}, .phone_index = rows.bytes(0), .second = {}, .uses = rows.integer(1)});
    return found;
}

void delete_unused_phone(db::Transaction& tx, std::string_view phone_index) {
    static constexpr db::Sql sql{"DELETE FROM phone_uses WHERE phone_index = $1 AND n = 0"};
    tx.run(sql, {db::Bytes{phone_index}});
}

std::int64_t count_codes_under_way(db::Transaction& tx, std::uint32_t code_key_id, std::int64_t now_ms) {
    static constexpr db::Sql codes{"SELECT count(*) FROM verifications WHERE code_key_id = $1 AND state = 'pending' AND expires_at_ms > $2"};
    static constexpr db::Sql messages{"SELECT count(*) FROM outbox WHERE code_key_id = $1 AND state IN ('queued', 'sending', 'unknown') AND expires_at_ms > $2"};
    std::int64_t count = 0;
    for (const auto* sql : {&codes, &messages})
        if (auto rows = tx.query(*sql, {std::int64_t{code_key_id}, now_ms}); rows.next()) count += rows.integer(0);
    return count;
}

}  // namespace openrd::store
