#include "store/erasure.hpp"

#include "base/identifiers.hpp"
#include "store/rates.hpp"

#include <utility>

namespace openrd::store {
namespace {

// Long enough that it is no index of any key.
constexpr std::size_t tombstone_bytes = 40;

void erase_binding(db::Transaction& tx, std::string_view account_id, std::string_view directory_id, std::int64_t now_ms, Erased& erased) {
    static constexpr db::Sql bound{"SELECT phone_index FROM members WHERE directory_id = $1 AND account_id = $2 AND phone_index IS NOT NULL /*for update*/"};
    static constexpr db::Sql unbind{
        "UPDATE members SET phone_index = NULL, phone_sealed = NULL, phone_bound_at_ms = NULL, phone_bound_by = NULL, phone_verification_id = NULL, modified_at_ms = $3 "
        "WHERE directory_id = $1 AND account_id = $2"};
    std::optional<std::string> index;
    if (auto rows = tx.query(bound, {directory_id, account_id}); rows.next()) index = rows.bytes(0);
    if (!index) return;
    tx.run(unbind, {directory_id, account_id, now_ms});
    release_phone_use(tx, *index);
    erased.phone_indexes.push_back(*std::move(index));
    ++erased.phones;
}

void erase_verifications(db::Transaction& tx, std::string_view account_id, Erased& erased) {
    static constexpr db::Sql indexes{"SELECT phone_index FROM verifications WHERE account_id = $1 /*for update*/"};
    static constexpr db::Sql sql{"DELETE FROM verifications WHERE account_id = $1"};
    for (auto rows = tx.query(indexes, {account_id}); rows.next();) erased.phone_indexes.push_back(rows.bytes(0));
    erased.verifications = tx.run(sql, {account_id});
}

}  // namespace

Erased erase_live_data(db::Transaction& tx, std::string_view account_id, std::string_view directory_id, std::int64_t now_ms) {
    static constexpr db::Sql own_phone{"UPDATE accounts SET phone_sealed = NULL WHERE account_id = $1 AND phone_sealed IS NOT NULL"};
    static constexpr db::Sql messages{"DELETE FROM outbox WHERE account_id = $1"};
    static constexpr db::Sql events{"DELETE FROM outbox_events WHERE account_id = $1"};
    Erased erased;
    if (!directory_id.empty()) erase_binding(tx, account_id, directory_id, now_ms, erased);
    erased.phones += tx.run(own_phone, {account_id});
    erase_verifications(tx, account_id, erased);
    erased.messages = tx.run(messages, {account_id});
    tx.run(events, {account_id});
    tx.changed(db::Topic::identities);
    return erased;
}

bool destroy_subject(db::Transaction& tx, std::string_view log_account_id, std::string_view subject_ref, std::int64_t now_ms) {
    // The row stays, so that it is known to be destroyed; its index would still say whose it was.
    static constexpr db::Sql sql{
        "UPDATE subjects SET key_sealed = NULL, destroyed_at_ms = $3, phone_index = $4 WHERE account_id = $1 AND subject_ref = $2 AND destroyed_at_ms IS NULL"};
    const auto tombstone = base::random_bytes(tombstone_bytes);
    return tx.run(sql, {log_account_id, subject_ref, now_ms, db::Bytes{tombstone}}) != 0;
}

std::int64_t count_destroyed_subjects(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT count(*) FROM subjects WHERE destroyed_at_ms IS NOT NULL"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.integer(0) : 0;
}

}  // namespace openrd::store
