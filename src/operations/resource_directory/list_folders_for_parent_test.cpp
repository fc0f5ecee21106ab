#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

TEST(ListFoldersForParent, ListsOneLevelByName) {
    Sandbox sandbox;
    for (const auto* name : {"beta", "alpha"}) ASSERT_EQ(sandbox.call("CreateFolder", {{"FolderName", name}}).status, 200);
    const auto answer = sandbox.call("ListFoldersForParent");
    EXPECT_EQ(answer.text("/TotalCount"), "3");
    EXPECT_EQ(answer.text("/Folders/Folder/0/FolderName"), "alpha");
    EXPECT_EQ(answer.text("/Folders/Folder/2/FolderName"), "workloads");
    const auto page = sandbox.call("ListFoldersForParent", {{"PageSize", "2"}, {"PageNumber", "2"}});
    EXPECT_EQ(page.text("/Folders/Folder/0/FolderName"), "workloads");
    EXPECT_EQ(page.text("/PageNumber"), "2");
    EXPECT_EQ(sandbox.call("ListFoldersForParent", {{"QueryKeyword", "ALPH"}}).text("/TotalCount"), "1") << "without regard to case";
    EXPECT_EQ(sandbox.call("ListFoldersForParent", {{"ParentFolderId", "fd-sandboxwrk"}}).text("/Folders/Folder"), "[]") << "an empty list is a list";
}

TEST(ListFoldersForParent, OfAFolderThatIsNotThereIsNotFound) {
    Sandbox sandbox;
    EXPECT_EQ(sandbox.call("ListFoldersForParent", {{"ParentFolderId", "fd-0000000000"}}).code(), "EntityNotExists.Folder");
    EXPECT_EQ(sandbox.call("ListFoldersForParent", {{"ParentFolderId", "x"}}).code(), "InvalidParameter.ParentFolderId");
}

}  // namespace
}  // namespace openrd::tests
