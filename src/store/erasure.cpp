#include "store/erasure.hpp"

#include "store/members.hpp"
#include "store/rates.hpp"
#include "store/subjects.hpp"

#include <utility>

namespace openrd::store {
namespace {

void erase_binding(db::Transaction& tx, std::string_view account_id, std::string_view directory_id, std::int64_t now_ms, Erased& erased) {
    auto index = unbind_phone(tx, directory_id, account_id, now_ms);
    if (!index) return;
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
    return tx.run(sql, {log_account_id, subject_ref, now_ms, db::Bytes{no_phone_index()}}) != 0;
}

std::int64_t count_destroyed_subjects(db::Transaction& tx) {
    static constexpr db::Sql sql{"SELECT count(*) FROM subjects WHERE destroyed_at_ms IS NOT NULL"};
    auto rows = tx.query(sql);
    return rows.next() ? rows.integer(0) : 0;
}

}  // namespace openrd::store
