#include "policy/system_policies.hpp"

#include "policy/decide.hpp"

#include <gtest/gtest.h>

#include <string>

namespace openrd::policy {
namespace {

bool allows(std::string_view policy, std::string_view action, std::string_view arn = "*") {
    const Document* const document = find_system_policy(policy);
    if (document == nullptr) {
        ADD_FAILURE() << "there is no " << policy;
        return false;
    }
    const Resource resource{std::string(arn)};
    return decide({&document, 1}, nullptr, {action, {&resource, 1}}).allowed();
}

TEST(SystemPolicies, AreEachFoundAndParsed) {
    EXPECT_EQ(system_policies().size(), 8u);
    for (const auto& policy : system_policies()) {
        const auto* const document = find_system_policy(policy.name);
        ASSERT_NE(document, nullptr) << policy.name;
        EXPECT_EQ(document, find_system_policy(policy.name)) << "parsed once";
        EXPECT_EQ(document->statements().size(), 1u);
    }
    for (const char* name : {"", "administratoraccess", "AdministratorAccess2", "Aliyun", "ZZZ"}) EXPECT_EQ(find_system_policy(name), nullptr) << name;
}

TEST(SystemPolicies, GrantWhatTheirNamesSay) {
    EXPECT_TRUE(allows("AdministratorAccess", "anything:AtAll", "acs:anything:*:1:x"));
    EXPECT_TRUE(allows("AliyunResourceDirectoryFullAccess", "resourcemanager:BindSecureMobilePhone", "acs:resourcemanager:*:1:account/rd-1/r-1/2"));
    EXPECT_TRUE(allows("AliyunResourceDirectoryReadOnlyAccess", "resourcemanager:GetAccount"));
    EXPECT_TRUE(allows("AliyunResourceDirectoryReadOnlyAccess", "resourcemanager:ListAccounts"));
    EXPECT_TRUE(allows("AliyunSTSAssumeRoleAccess", "sts:AssumeRole", "acs:ram:*:1:role/r"));
    EXPECT_TRUE(allows("AliyunRAMFullAccess", "ram:CreateUser"));
    EXPECT_TRUE(allows("AliyunRAMReadOnlyAccess", "ram:GetUser"));
    EXPECT_TRUE(allows("AliyunRAMReadOnlyAccess", "ram:ListUsers"));
    EXPECT_TRUE(allows("AliyunActionTrailFullAccess", "actiontrail:LookupEvents"));
    EXPECT_TRUE(allows("AliyunServiceRolePolicyForResourceDirectory", "ram:CreateServiceLinkedRole"));
}

TEST(SystemPolicies, GrantNothingElse) {
    EXPECT_FALSE(allows("AliyunResourceDirectoryFullAccess", "ram:CreateServiceLinkedRole")) << "conditional in the vendor's text";
    EXPECT_FALSE(allows("AliyunResourceDirectoryFullAccess", "sts:AssumeRole"));
    EXPECT_FALSE(allows("AliyunResourceDirectoryReadOnlyAccess", "resourcemanager:SendVerificationCodeForBindSecureMobilePhone"));
    EXPECT_FALSE(allows("AliyunResourceDirectoryReadOnlyAccess", "resourcemanager:BindSecureMobilePhone"));
    EXPECT_FALSE(allows("AliyunResourceDirectoryReadOnlyAccess", "ram:GetUser"));
    EXPECT_FALSE(allows("AliyunSTSAssumeRoleAccess", "sts:AssumeRoleWithSAML"));
    EXPECT_FALSE(allows("AliyunRAMReadOnlyAccess", "ram:CreateUser"));
    EXPECT_FALSE(allows("AliyunRAMFullAccess", "resourcemanager:GetAccount"));
    EXPECT_FALSE(allows("AliyunActionTrailFullAccess", "ram:GetUser"));
    EXPECT_FALSE(allows("AliyunServiceRolePolicyForResourceDirectory", "ram:DeleteServiceLinkedRole")) << "conditional in the vendor's text";
}

}  // namespace
}  // namespace openrd::policy
