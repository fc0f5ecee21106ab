#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

TEST(ListAccountsForParent, ListsWhatStandsDirectlyInTheFolder) {
    Sandbox sandbox;
    const auto root = sandbox.call("ListAccountsForParent");
    EXPECT_EQ(root.text("/TotalCount"), "2") << root;
    EXPECT_EQ(root.text("/Accounts/Account/0/AccountId"), blue_id);
    const auto workloads = sandbox.call("ListAccountsForParent", {{"ParentFolderId", "fd-sandboxwrk"}});
    EXPECT_EQ(workloads.text("/TotalCount"), "1");
    EXPECT_EQ(workloads.text("/Accounts/Account/0/AccountId"), red_id);
    EXPECT_EQ(sandbox.call("ListAccountsForParent", {{"QueryKeyword", "joined"}}).text("/TotalCount"), "1");
    EXPECT_EQ(sandbox.call("ListAccountsForParent", {{"PageSize", "1"}, {"PageNumber", "2"}}).text("/Accounts/Account/0/AccountId"), joined_id);
}

TEST(ListAccountsForParent, OfAFolderThatIsNotThereIsNotFound) {
    Sandbox sandbox;
    EXPECT_EQ(sandbox.call("ListAccountsForParent", {{"ParentFolderId", "fd-0000000000"}}).code(), "EntityNotExists.Folder");
    EXPECT_EQ(sandbox.call("ListAccountsForParent", {{"ParentFolderId", "nowhere"}}).code(), "InvalidParameter.ParentFolderId");
}

}  // namespace
}  // namespace openrd::tests
