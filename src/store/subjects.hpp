#pragma once
// Whose personal data stand in an account's audit log, and the key that makes them readable (verification.md 9). The blind index
// stands here, in a live table that can be emptied, never in the log.
#include "db/engine.hpp"

namespace openrd::keys {
class Ring;
}

namespace openrd::store {

struct Subject {
    std::string account_id;  // in whose log
    std::string phone_index;
    std::string subject_ref;                // random; what the log says
    std::optional<std::string> key_sealed;  // keys::Purpose::subject, associated with subject_ref; nothing: destroyed
    std::int64_t created_at_ms = 0;
};

// In the place of an index where nobody is to know the number any more: random, and longer than any index.
std::string no_phone_index();

std::optional<Subject> find_subject(db::Transaction&, std::string_view account_id, std::string_view phone_index);
void insert_subject(db::Transaction&, const Subject&);
// By what the log says; for those who read it.
std::optional<Subject> find_subject_by_ref(db::Transaction&, std::string_view account_id, std::string_view subject_ref);

// What the audit log says of a person: whose datum it is, and the datum under his key (base64 of a box that holds
// {"e164":"+6581234567","mask":"65-8123****"}); no datum when the key was destroyed.
struct PersonRecord {
    std::string subject_ref, pii;
};
// Of the owner of a phone, given in the API's form; makes his key at the first time. Nothing: that is no phone number.
std::optional<PersonRecord> record_person(db::Transaction&, const keys::Ring&, std::string_view account_id, std::string_view phone, std::int64_t now_ms);

}  // namespace openrd::store
