#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

struct CreateResourceAccount : testing::Test {
    Sandbox sandbox;
    Answer create(Parameters parameters, const How& how = {}) { return sandbox.call("CreateResourceAccount", parameters, how); }
};

TEST_F(CreateResourceAccount, MakesAMemberAtOnce) {
    const auto made = create({{"DisplayName", "Dev 中文"}, {"AccountNamePrefix", "alice"}, {"ParentFolderId", "fd-sandboxwrk"}});
    ASSERT_EQ(made.status, 200) << made;
    const auto id = made.text("/Account/AccountId");
    EXPECT_EQ(id.size(), 16u);
    EXPECT_EQ(made.text("/Account/AccountName"), "alice@rd-sandbx.aliyunid.com");
    EXPECT_EQ(made.text("/Account/Status"), "CreateSuccess");
    EXPECT_EQ(made.text("/Account/Type"), "ResourceAccount");
    EXPECT_EQ(made.text("/Account/JoinMethod"), "created");
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", id}}).text("/Account/FolderId"), "fd-sandboxwrk");
    EXPECT_EQ(sandbox.call("ListAccountsForParent", {{"ParentFolderId", "fd-sandboxwrk"}}).text("/TotalCount"), "2");
    EXPECT_EQ(sandbox.count(("roles WHERE account_id = '" + id + "'").c_str()), 2) << "the access role and the service's own";
}

TEST_F(CreateResourceAccount, NamesAreUniqueInTheDirectory) {
    const auto refused = create({{"DisplayName", "team-blue"}});
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "InvalidParameter.Account.DisplayName.AlreadyUsed");
    ASSERT_EQ(create({{"DisplayName", "first"}, {"AccountNamePrefix", "same"}}).status, 200);
    EXPECT_EQ(create({{"DisplayName", "second"}, {"AccountNamePrefix", "same"}}).code(), "EntityAlreadyExists.ResourceDirectory.Account");
}

TEST_F(CreateResourceAccount, NamesWhatIsWrong) {
    EXPECT_EQ(create({}).code(), "MissingDisplayName");
    EXPECT_EQ(create({{"DisplayName", ""}}).code(), "MissingParameter.Account.DisplayName");
    EXPECT_EQ(create({{"DisplayName", "x"}}).code(), "InvalidParameter.Account.DisplayName.Length");
    EXPECT_EQ(create({{"DisplayName", std::string(51, 'x')}}).code(), "InvalidParameter.Account.DisplayName.Length");
    EXPECT_EQ(create({{"DisplayName", "a/b"}}).code(), "InvalidParameter.Account.DisplayName");
    for (const auto* prefix : {"-ab", "ab-", "a..b", "a b"})
        EXPECT_EQ(create({{"DisplayName", "okay"}, {"AccountNamePrefix", prefix}}).code(), "InvalidParameter.Account.AccountNamePrefix") << prefix;
    EXPECT_EQ(create({{"DisplayName", "okay"}, {"AccountNamePrefix", "a"}}).code(), "InvalidParameter.Account.AccountNamePrefix.Length");
    EXPECT_EQ(create({{"DisplayName", "okay"}, {"AccountNamePrefix", std::string(38, 'a')}}).code(), "InvalidParameter.Account.AccountNamePrefix.Length");
    EXPECT_EQ(create({{"DisplayName", "okay"}, {"ParentFolderId", "fd-0000000000"}}).code(), "EntityNotExists.Folder");
    EXPECT_EQ(create({{"DisplayName", "okay"}, {"ParentFolderId", "nowhere"}}).code(), "InvalidParameter.ParentFolderId");
    EXPECT_EQ(create({{"DisplayName", "okay"}, {"PayerAccountId", other_id}}).code(), "NotSupport.PayerAccountInAnotherResourceDirectory");
    EXPECT_EQ(create({{"DisplayName", "okay"}, {"ResellAccountType", "non_resell"}}).code(), "NotSupport.SettingResellAccountType");
    EXPECT_EQ(create({{"DisplayName", "okay"}, {"ResellAccountType", "sell"}}).code(), "InvalidResellAccountType");
    EXPECT_EQ(sandbox.count("members WHERE directory_id = 'rd-sandbx'"), 3) << "nothing was made";
}

TEST_F(CreateResourceAccount, QuotaHoldsWhereItIsSet) {
    sandbox.settings().quotas.members = 3;
    const auto refused = create({{"DisplayName", "one too many"}});
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "LimitExceeded.Account");
}

TEST_F(CreateResourceAccount, DryRunMakesNothing) {
    const auto dry = create({{"DisplayName", "dry"}, {"DryRun", "true"}});
    EXPECT_EQ(dry.status, 200);
    EXPECT_EQ(dry.text("/Account"), "");
    EXPECT_EQ(sandbox.count("members WHERE directory_id = 'rd-sandbx'"), 3);
}

TEST_F(CreateResourceAccount, UnknownParametersAreIgnored) {
    EXPECT_EQ(create({{"DisplayName", "as-terraform-does"}, {"Tags.1.Key", "k"}, {"RegionId", "cn-hangzhou"}}).status, 200);
}

}  // namespace
}  // namespace openrd::tests
