#include "store/everything.hpp"

namespace openrd::store {

void delete_everything(db::Transaction& tx) {
    // No table refers to another, so the order is free: as in db/migrations. everything_test.cpp finds a table that is missing here.
    static constexpr db::Sql deletions[] = {
        {"DELETE FROM facts"},
        {"DELETE FROM accounts"},
        {"DELETE FROM directories"},
        {"DELETE FROM folders"},
        {"DELETE FROM members"},
        {"DELETE FROM tags"},
        {"DELETE FROM users"},
        {"DELETE FROM roles"},
        {"DELETE FROM access_keys"},
        {"DELETE FROM policies"},
        {"DELETE FROM policy_attachments"},
        {"DELETE FROM verifications"},
        {"DELETE FROM rates"},
        {"DELETE FROM phone_uses"},
        {"DELETE FROM outbox"},
        {"DELETE FROM outbox_events"},
        {"DELETE FROM subjects"},
        {"DELETE FROM audit_events"},
        {"DELETE FROM checkpoints"},
        {"DELETE FROM nonces"},
        {"DELETE FROM leases"},
        {"DELETE FROM suppressions"},
        {"DELETE FROM directory_limits"},
        {"DELETE FROM code_samples"},
        {"DELETE FROM country_brakes"},
    };
    for (const auto& deletion : deletions) tx.run(deletion);
    for (const auto topic : {db::Topic::identities, db::Topic::outbox, db::Topic::audit}) tx.changed(topic);
}

}  // namespace openrd::store
