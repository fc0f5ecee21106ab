#pragma once
// Custom policies of an account, and what is attached to its users and roles. The texts of system policies are
// policy/system_policies.hpp; here stands only their names.
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

inline constexpr std::string_view policy_of_system = "System", policy_of_account = "Custom";
inline constexpr std::string_view principal_user = "user", principal_role = "role";

struct AttachedPolicy {
    std::string policy_type;  // System, Custom
    std::string policy_name;
    std::string document;  // of a custom one
};

void insert_policy(db::Transaction&, std::string_view account_id, std::string_view policy_name, std::string_view document, std::int64_t now_ms);
void attach_policy(db::Transaction&, std::string_view account_id, std::string_view principal_kind, std::string_view principal_id, std::string_view policy_type,
                   std::string_view policy_name, std::int64_t now_ms);
std::vector<AttachedPolicy> attached_policies(db::Transaction&, std::string_view account_id, std::string_view principal_kind, std::string_view principal_id);

}  // namespace openrd::store
