#include "store/identities.hpp"

#include "base/text.hpp"

namespace openrd::store {
namespace {

Role read_role(const db::Rows& rows) {
    return {.account_id = rows.text(0),
            .role_id = rows.text(1),
            .role_name = rows.text(2),
            .trust_policy = rows.text(3),
            .description = rows.text(4),
            .max_session_seconds = rows.integer(5),
            .created_at_ms = rows.integer(6)};
}

}  // namespace

std::optional<User> find_user(db::Transaction& tx, std::string_view account_id, std::string_view user_id) {
    static constexpr db::Sql sql{"SELECT account_id, user_id, user_name, created_at_ms FROM users WHERE account_id = $1 AND user_id = $2"};
    auto rows = tx.query(sql, {account_id, user_id});
    if (!rows.next()) return {};
    return User{.account_id = rows.text(0), .user_id = rows.text(1), .user_name = rows.text(2), .created_at_ms = rows.integer(3)};
}

std::optional<User> find_user_by_name(db::Transaction& tx, std::string_view account_id, std::string_view user_name) {
    static constexpr db::Sql sql{"SELECT account_id, user_id, user_name, created_at_ms FROM users WHERE account_id = $1 AND user_name = $2"};
    auto rows = tx.query(sql, {account_id, user_name});
    if (!rows.next()) return {};
    return User{.account_id = rows.text(0), .user_id = rows.text(1), .user_name = rows.text(2), .created_at_ms = rows.integer(3)};
}

void insert_user(db::Transaction& tx, const User& u) {
    static constexpr db::Sql sql{"INSERT INTO users (account_id, user_id, user_name, created_at_ms) VALUES ($1, $2, $3, $4)"};
    tx.run(sql, {u.account_id, u.user_id, u.user_name, u.created_at_ms});
    tx.changed(db::Topic::identities);
}

std::optional<Role> find_role(db::Transaction& tx, std::string_view account_id, std::string_view role_id) {
    static constexpr db::Sql sql{
        "SELECT account_id, role_id, role_name, trust_policy, description, max_session_seconds, created_at_ms FROM roles WHERE account_id = $1 AND role_id = $2"};
    auto rows = tx.query(sql, {account_id, role_id});
    return rows.next() ? std::optional(read_role(rows)) : std::nullopt;
}

std::optional<Role> find_role_by_name(db::Transaction& tx, std::string_view account_id, std::string_view role_name) {
    static constexpr db::Sql sql{
        "SELECT account_id, role_id, role_name, trust_policy, description, max_session_seconds, created_at_ms FROM roles WHERE account_id = $1 AND folded_name = $2"};
    auto rows = tx.query(sql, {account_id, base::ascii_lower(role_name)});
    return rows.next() ? std::optional(read_role(rows)) : std::nullopt;
}

void insert_role(db::Transaction& tx, const Role& r) {
    static constexpr db::Sql sql{
        "INSERT INTO roles (account_id, role_id, role_name, folded_name, trust_policy, description, max_session_seconds, created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"};
    tx.run(sql, {r.account_id, r.role_id, r.role_name, base::ascii_lower(r.role_name), r.trust_policy, r.description, r.max_session_seconds, r.created_at_ms});
    tx.changed(db::Topic::identities);
}

}  // namespace openrd::store
