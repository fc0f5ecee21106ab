#pragma once
// RAM users and roles.
#include "db/engine.hpp"

namespace openrd::store {

struct User {
    std::string account_id;
    std::string user_id;  // 18 digits
    std::string user_name;
    std::int64_t created_at_ms = 0;
};

struct Role {
    std::string account_id;
    std::string role_id;  // 18 digits
    std::string role_name;
    std::string trust_policy;
    std::string description;
    std::int64_t max_session_seconds = 3600;
    std::int64_t created_at_ms = 0;
};

std::optional<User> find_user(db::Transaction&, std::string_view account_id, std::string_view user_id);
std::optional<User> find_user_by_name(db::Transaction&, std::string_view account_id, std::string_view user_name);
void insert_user(db::Transaction&, const User&);

std::optional<Role> find_role(db::Transaction&, std::string_view account_id, std::string_view role_id);
// Role names are compared without regard to case (protocol.md H.1).
std::optional<Role> find_role_by_name(db::Transaction&, std::string_view account_id, std::string_view role_name);
void insert_role(db::Transaction&, const Role&);

}  // namespace openrd::store
