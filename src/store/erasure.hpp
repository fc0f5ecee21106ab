#pragma once
// Erasing what is kept of the person behind an account's phone (verification.md 5; docs/operations/personal-data.md). What is in the
// audit log stays and is made unreadable: the key goes, the entry still verifies.
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

struct Erased {
    std::int64_t phones = 0;         // a member's secure phone, an account's own
    std::int64_t verifications = 0;  // with the guard against guessing
    std::int64_t messages = 0;
    std::vector<std::string> phone_indexes;  // of what was found, so that their subjects are known
    bool nothing() const { return phones == 0 && verifications == 0 && messages == 0; }
};
// From the live tables. directory_id: of the member; empty: it is none.
Erased erase_live_data(db::Transaction&, std::string_view account_id, std::string_view directory_id, std::int64_t now_ms);

// Destroys the key of one subject of a log, and forgets which number it was. False: there is no such subject, or it was destroyed before.
bool destroy_subject(db::Transaction&, std::string_view log_account_id, std::string_view subject_ref, std::int64_t now_ms);
std::int64_t count_destroyed_subjects(db::Transaction&);

}  // namespace openrd::store
