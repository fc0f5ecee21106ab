#pragma once
// The roles that a directory creates in its accounts (protocol.md H.4).
#include "db/engine.hpp"

namespace openrd::store {

// Of every member: its management account enters by this role, with AdministratorAccess.
inline constexpr std::string_view access_role_name = "ResourceDirectoryAccountAccessRole";
// Of the management account and of every member: the service's own.
inline constexpr std::string_view service_linked_role_name = "AliyunServiceRoleForResourceDirectory";

// Random ones, 18 digits.
struct MemberRoleIds {
    MemberRoleIds();
    MemberRoleIds(std::string access, std::string service_linked) : access_role(std::move(access)), service_linked_role(std::move(service_linked)) {}
    std::string access_role;
    std::string service_linked_role;
};

// Of an account that becomes a member, both roles.
void insert_member_roles(db::Transaction&, std::string_view member_account_id, std::string_view management_account_id, std::int64_t now_ms, const MemberRoleIds& ids = {});
// Of an account that becomes a management account.
void insert_service_linked_role(db::Transaction&, std::string_view account_id, std::int64_t now_ms, const std::string& role_id = MemberRoleIds().service_linked_role);

}  // namespace openrd::store
