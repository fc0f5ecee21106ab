#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

TEST(GetAccount, ShowsAMemberWithItsPlaceInTheTree) {
    Sandbox sandbox;
    const auto answer = sandbox.call("GetAccount", {{"AccountId", red_id}});
    ASSERT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.text("/Account/DisplayName"), "team-red");
    EXPECT_EQ(answer.text("/Account/FolderId"), "fd-sandboxwrk");
    EXPECT_EQ(answer.text("/Account/Location"), "root/workloads");
    EXPECT_EQ(answer.text("/Account/ResourceDirectoryPath"), "rd-sandbx/r-sandbx/fd-sandboxwrk/" + red_id);
    EXPECT_EQ(answer.text("/Account/SecureMobilePhone"), "65-8123****");
    EXPECT_EQ(answer.text("/Account/Type"), "ResourceAccount");
    EXPECT_EQ(answer.text("/Account/Status"), "CreateSuccess");
    EXPECT_EQ(answer.text("/Account/Tags"), "") << "tags only when asked for";
}

TEST(GetAccount, ShowsTagsWhenAsked) {
    Sandbox sandbox;
    const auto id = sandbox.call("CreateResourceAccount", {{"DisplayName", "tagged"}, {"Tag.1.Key", "team"}, {"Tag.1.Value", "core"}}).text("/Account/AccountId");
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", id}, {"IncludeTags", "True"}}).text("/Account/Tags"), R"([{"Key":"team","Value":"core"}])");
}

TEST(GetAccount, AnswersNotFoundForWhatIsNoMember) {
    Sandbox sandbox;
    for (const auto& id : {outside_id, other_member_id, management_id, std::string("1999999999999999")}) {
        const auto answer = sandbox.call("GetAccount", {{"AccountId", id}});
        EXPECT_EQ(answer.status, 404);
        EXPECT_EQ(answer.code(), "EntityNotExists.Account");
        EXPECT_EQ(answer.message(), "This resource directory account does not exist.");
    }
}

TEST(GetAccount, NamesWhatIsWrongWithItsParameter) {
    Sandbox sandbox;
    EXPECT_EQ(sandbox.call("GetAccount").code(), "MissingAccountId");
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", ""}}).code(), "MissingParameter.AccountId");
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", "x"}}).code(), "InvalidParameter.AccountId");
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", blue_id}, {"IncludeTags", "maybe"}}).code(), "InvalidIncludeTags");
}

TEST(GetAccount, IsForTheManagementAccount) {
    Sandbox sandbox;
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", blue_id}}, {.key = root_key}).status, 200);
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", blue_id}}, {.key = reader_key}).status, 200);
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", blue_id}}, {.key = member_key}).code(), "EntityNotExists.ResourceDirectory");
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", blue_id}}, {.key = outside_key}).code(), "EntityNotExists.ResourceDirectory");
}

}  // namespace
}  // namespace openrd::tests
