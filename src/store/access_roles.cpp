#include "store/access_roles.hpp"

#include "base/identifiers.hpp"
#include "store/identities.hpp"
#include "store/policies.hpp"

#include <fmt/format.h>

namespace openrd::store {

MemberRoleIds::MemberRoleIds() : MemberRoleIds(base::random_digits(18), base::random_digits(18)) {}

void insert_member_roles(db::Transaction& tx, std::string_view member_account_id, std::string_view management_account_id, std::int64_t now_ms, const MemberRoleIds& ids) {
    insert_role(tx, {.account_id = std::string(member_account_id),
                     .role_id = ids.access_role,
                     .role_name = std::string(access_role_name),
                     .trust_policy = fmt::format(R"({{"Statement":[{{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{{"RAM":["acs:ram::{}:root"]}}}}],"Version":"1"}})",
                                                 management_account_id),
                     .description = "The management account of the resource directory enters the account by this role.",
                     .created_at_ms = now_ms});
    attach_policy(tx, member_account_id, principal_role, ids.access_role, policy_of_system, "AdministratorAccess", now_ms);
    insert_service_linked_role(tx, member_account_id, now_ms, ids.service_linked_role);
}

void insert_service_linked_role(db::Transaction& tx, std::string_view account_id, std::int64_t now_ms, const std::string& role_id) {
    insert_role(tx, {.account_id = std::string(account_id),
                     .role_id = role_id,
                     .role_name = std::string(service_linked_role_name),
                     .trust_policy = R"({"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["resourcemanager.aliyuncs.com"]}}],"Version":"1"})",
                     .description = "Resource Directory uses this role to create the service-linked roles of trusted services.",
                     .created_at_ms = now_ms});
    attach_policy(tx, account_id, principal_role, role_id, policy_of_system, "AliyunServiceRolePolicyForResourceDirectory", now_ms);
}

}  // namespace openrd::store
