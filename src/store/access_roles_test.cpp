#include "store/access_roles.hpp"

#include "db/open.hpp"
#include "store/identities.hpp"
#include "store/policies.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace openrd::store {
namespace {

class AccessRoles : public ::testing::Test {
  protected:
    AccessRoles() : engine_(db::open({.directory = directory_ + "/data", .create = true, .durable = false})) {}
    ~AccessRoles() override {
        engine_->close();
        std::filesystem::remove_all(directory_);
    }

    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "access_roles_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    Role load(std::string_view account_id, std::string_view name) {
        std::optional<Role> role;
        engine_->read([&](db::Transaction& tx) { role = find_role_by_name(tx, account_id, name); });
        return role.value_or(Role{});
    }
    std::string policy_of(const Role& role) {
        std::string names;
        engine_->read([&](db::Transaction& tx) {
            names.clear();
            for (const auto& policy : attached_policies(tx, role.account_id, principal_role, role.role_id)) names += policy.policy_type + ":" + policy.policy_name;
        });
        return names;
    }

    std::string directory_ = make_directory();
    std::unique_ptr<db::Engine> engine_;
};

TEST_F(AccessRoles, OfAMemberTrustItsManagementAccountAndMayDoEverything) {
    engine_->write_and_wait([](db::Transaction& tx) { insert_member_roles(tx, "1000000000000002", "1000000000000001", 5, {"300000000000000001", "300000000000000002"}); });
    const auto role = load("1000000000000002", access_role_name);
    EXPECT_EQ(role.role_id, "300000000000000001");
    EXPECT_EQ(role.trust_policy, R"({"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"RAM":["acs:ram::1000000000000001:root"]}}],"Version":"1"})");
    EXPECT_EQ(role.created_at_ms, 5);
    EXPECT_EQ(policy_of(role), "System:AdministratorAccess");
    EXPECT_EQ(load("1000000000000002", service_linked_role_name).role_id, "300000000000000002");
}

TEST_F(AccessRoles, OfTheServiceTrustTheServiceAlone) {
    engine_->write_and_wait([](db::Transaction& tx) { insert_service_linked_role(tx, "1000000000000001", 5, "300000000000000009"); });
    const auto role = load("1000000000000001", service_linked_role_name);
    EXPECT_EQ(role.trust_policy, R"({"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["resourcemanager.aliyuncs.com"]}}],"Version":"1"})");
    EXPECT_EQ(policy_of(role), "System:AliyunServiceRolePolicyForResourceDirectory");
    EXPECT_EQ(load("1000000000000001", access_role_name).role_id, "");
}

TEST_F(AccessRoles, HaveIdsOfTheirOwn) {
    const MemberRoleIds one, other;
    EXPECT_EQ(one.access_role.size(), 18u);
    EXPECT_NE(one.access_role, one.service_linked_role);
    EXPECT_NE(one.access_role, other.access_role);
}

}  // namespace
}  // namespace openrd::store
