#include "store/everything.hpp"

#include <array>

namespace openrd::store {
std::span<const Table> tables() {
    // No table refers to another, so the order is free: as in db/migrations. everything_test.cpp finds a table that is missing here.
    static constexpr std::array all = {
        Table{{"DELETE FROM facts"}, everywhere},
        Table{{"DELETE FROM accounts"}, "account_id"},
        Table{{"DELETE FROM directories"}, "directory_id"},
        Table{{"DELETE FROM folders"}, "directory_id"},
        Table{{"DELETE FROM members"}, "directory_id"},
        Table{{"DELETE FROM tags"}, "directory_id"},
        Table{{"DELETE FROM users"}, "account_id"},
        Table{{"DELETE FROM roles"}, "account_id"},
        Table{{"DELETE FROM access_keys"}, "access_key_id"},
        Table{{"DELETE FROM policies"}, "account_id"},
        Table{{"DELETE FROM policy_attachments"}, "account_id"},
        Table{{"DELETE FROM verifications"}, "account_id"},
        Table{{"DELETE FROM rates"}, "bucket"},
        Table{{"DELETE FROM phone_uses"}, "phone_index"},
        Table{{"DELETE FROM outbox"}, "account_id"},
        Table{{"DELETE FROM outbox_events"}, "account_id"},
        Table{{"DELETE FROM subjects"}, "account_id"},
        Table{{"DELETE FROM audit_events"}, "account_id"},
        Table{{"DELETE FROM checkpoints"}, everywhere},
        Table{{"DELETE FROM nonces"}, "account_id", Moves::as_what_is_used},
        Table{{"DELETE FROM leases"}, everywhere, Moves::no},
        Table{{"DELETE FROM suppressions"}, "phone_index"},
        Table{{"DELETE FROM directory_limits"}, "directory_id"},
        Table{{"DELETE FROM code_samples"}, "calling_code"},
        Table{{"DELETE FROM country_brakes"}, "calling_code"},
    };
    return all;
}

void delete_everything(db::Transaction& tx) {
    for (const auto& table : tables()) tx.run(table.deletion);
    for (const auto topic : {db::Topic::identities, db::Topic::outbox, db::Topic::audit}) tx.changed(topic);
}

}  // namespace openrd::store
