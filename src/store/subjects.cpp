#include "store/subjects.hpp"

namespace openrd::store {
namespace {

std::optional<Subject> one(db::Rows rows) {
    if (!rows.next()) return {};
    return Subject{.account_id = rows.text(0), .phone_index = rows.bytes(1), .subject_ref = rows.text(2), .key_sealed = rows.optional_bytes(3), .created_at_ms = rows.integer(4)};
}

}  // namespace

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
    tx.run(sql, {s.account_id, db::Bytes{s.phone_index}, s.subject_ref, db::optional_bytes(s.key_sealed), s.created_at_ms});
}

}  // namespace openrd::store
