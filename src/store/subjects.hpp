#pragma once
// Whose personal data stand in an account's audit log, and the key that makes them readable (verification.md 9). The blind index
// stands here, in a live table that can be emptied, never in the log.
#include "db/engine.hpp"

namespace openrd::store {

struct Subject {
    std::string account_id;  // in whose log
    std::string phone_index;
    std::string subject_ref;                // random; what the log says
    std::optional<std::string> key_sealed;  // keys::Purpose::subject, associated with subject_ref; nothing: destroyed
    std::int64_t created_at_ms = 0;
};

std::optional<Subject> find_subject(db::Transaction&, std::string_view account_id, std::string_view phone_index);
void insert_subject(db::Transaction&, const Subject&);
// By what the log says; for those who read it.
std::optional<Subject> find_subject_by_ref(db::Transaction&, std::string_view account_id, std::string_view subject_ref);

}  // namespace openrd::store
