#include "store/subjects.hpp"

#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "keys/box.hpp"
#include "keys/ring.hpp"
#include "phone/mobile_number.hpp"

#include <fmt/format.h>

namespace openrd::store {
namespace {

std::optional<Subject> one(db::Rows rows) {
    if (!rows.next()) return {};
    return Subject{.account_id = rows.text(0), .phone_index = rows.bytes(1), .subject_ref = rows.text(2), .key_sealed = rows.optional_bytes(3), .created_at_ms = rows.integer(4)};
}

}  // namespace

std::string no_phone_index() { return base::random_bytes(40); }

std::optional<Subject> find_subject(db::Transaction& tx, std::string_view account_id, std::string_view phone_index) {
    static constexpr db::Sql sql{"SELECT account_id, phone_index, subject_ref, key_sealed, created_at_ms FROM subjects WHERE account_id = $1 AND phone_index = $2"};
    return one(tx.query(sql, {account_id, db::Bytes{phone_index}}));
}

std::optional<Subject> find_subject_by_ref(db::Transaction& tx, std::string_view account_id, std::string_view subject_ref) {
    static constexpr db::Sql sql{"SELECT account_id, phone_index, subject_ref, key_sealed, created_at_ms FROM subjects WHERE account_id = $1 AND subject_ref = $2"};
    return one(tx.query(sql, {account_id, subject_ref}));
}

void insert_subject(db::Transaction& tx, const Subject& s) {
    static constexpr db::Sql sql{"INSERT INTO subjects (account_id, phone_index, subject_ref, key_sealed, created_at_ms) VALUES ($1, $2, $3, $4, $5)"};
    tx.post(sql, {s.account_id, db::Bytes{s.phone_index}, s.subject_ref, db::optional_bytes(s.key_sealed), s.created_at_ms});
}

std::optional<PersonRecord> record_person(db::Transaction& tx, const keys::Ring& ring, std::string_view account_id, std::string_view phone, std::int64_t now_ms) {
    const auto number = phone::MobileNumber::parse(phone);
    if (!number) return {};
    const auto indexes = ring.blind_indexes(number->reveal_e164());
    std::optional<Subject> subject;
    for (auto index = indexes.begin(); !subject && index != indexes.end(); ++index) subject = find_subject(tx, account_id, *index);
    base::Secret key;
    if (!subject) {
        subject = Subject{.account_id = std::string(account_id), .phone_index = indexes.front(), .subject_ref = base::identifier("s-", 20), .created_at_ms = now_ms};
        key = keys::random_key();
        subject->key_sealed = ring.seal(keys::Purpose::subject, key.reveal(), subject->subject_ref);
        insert_subject(tx, *subject);
    } else if (subject->key_sealed) {
        if (auto opened = ring.open(keys::Purpose::subject, *subject->key_sealed, subject->subject_ref)) key = *std::move(opened);
    }
    if (key.empty()) return PersonRecord{subject->subject_ref, {}};  // destroyed: the person is not to be known any more
    const base::Secret datum(fmt::format(R"({{"e164":"{}","mask":"{}"}})", number->reveal_e164(), number->masked()));
    return PersonRecord{subject->subject_ref, base::base64(keys::seal_with(key.reveal(), datum.reveal(), subject->subject_ref))};
}

}  // namespace openrd::store
