#include "store/accounts.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

struct EnableResourceDirectory : testing::Test {
    Sandbox sandbox;
    Answer enable(const Key& key, Parameters more = {}, const std::string& version = "2022-04-19") {
        more.emplace_back("EnableMode", "CurrentAccount");
        return sandbox.call("EnableResourceDirectory", more, {.key = key, .version = version});
    }
    void change(const char* statement) {
        const db::Sql sql{statement};
        sandbox.engine().write_and_wait([&](db::Transaction& tx) {
            tx.run(sql);
            tx.changed(db::Topic::identities);
        });
    }
};

TEST_F(EnableResourceDirectory, MakesTheCallerAManager) {
    const auto made = enable(outside_key);
    ASSERT_EQ(made.status, 200) << made;
    EXPECT_EQ(made.text("/ResourceDirectory/MasterAccountId"), outside_id);
    const auto seen = sandbox.call("GetResourceDirectory", {}, {.key = outside_key});
    EXPECT_EQ(seen.text("/ResourceDirectory/ResourceDirectoryId"), made.text("/ResourceDirectory/ResourceDirectoryId"));
    EXPECT_EQ(sandbox.call("ListFoldersForParent", {}, {.key = outside_key}).text("/TotalCount"), "0");
    EXPECT_EQ(enable(outside_key).code(), "EntityAlreadyExists.ResourceDirectory");
    EXPECT_EQ(sandbox.count("roles WHERE account_id = '1000000000000009' AND role_name = 'AliyunServiceRoleForResourceDirectory'"), 1);
}

TEST_F(EnableResourceDirectory, DryRunChangesNothing) {
    EXPECT_EQ(enable(outside_key, {{"DryRun", "true"}}).status, 200);
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.key = outside_key}).code(), "ResourceDirectoryNotInUse");
}

TEST_F(EnableResourceDirectory, RefusesWhoStandsInOneAlready) {
    EXPECT_EQ(enable(root_key).code(), "EntityAlreadyExists.ResourceDirectory");
    const auto member = enable(joined_key);
    EXPECT_EQ(member.code(), "NotSupport.AccountInAnotherResourceDirectory");
    EXPECT_EQ(member.message(), "The specified account is an Alibaba Cloud account or already exists in another resource directory.");
}

TEST_F(EnableResourceDirectory, NeedsAVerifiedEnterpriseAndAWayToReachIt) {
    change("UPDATE accounts SET email = '', phone_sealed = NULL WHERE account_id = '1000000000000009'");
    EXPECT_EQ(enable(outside_key).code(), "MissingSecurityInfo");
    change("UPDATE accounts SET enterprise_state = 'withdrawn' WHERE account_id = '1000000000000009'");
    EXPECT_EQ(enable(outside_key).code(), "EnterpriseRealNameVerificationError");
    change("UPDATE accounts SET enterprise_name = '' WHERE account_id = '1000000000000009'");
    EXPECT_EQ(enable(outside_key).code(), "Invalid.EnterpriseName");
}

TEST_F(EnableResourceDirectory, TheOtherModeIsNotThereYet) {
    const auto answer = sandbox.call("EnableResourceDirectory", {{"EnableMode", "NewManagementAccount"}}, {.key = outside_key});
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "UnsupportedOperation");
    EXPECT_EQ(sandbox.call("EnableResourceDirectory", {{"EnableMode", "Sideways"}}, {.key = outside_key}).code(), "InvalidEnableMode");
    EXPECT_EQ(sandbox.call("EnableResourceDirectory", {}, {.key = outside_key}).code(), "MissingEnableMode");
}

}  // namespace
}  // namespace openrd::tests
