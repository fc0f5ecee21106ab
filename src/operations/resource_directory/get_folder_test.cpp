#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

TEST(GetFolder, ShowsAFolderAndItsPath) {
    Sandbox sandbox;
    const auto answer = sandbox.call("GetFolder", {{"FolderId", "fd-sandboxwrk"}});
    ASSERT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.text("/Folder/FolderName"), "workloads");
    EXPECT_EQ(answer.text("/Folder/ParentFolderId"), "r-sandbx");
    EXPECT_EQ(answer.text("/Folder/ResourceDirectoryPath"), "rd-sandbx/r-sandbx/fd-sandboxwrk");
    EXPECT_EQ(sandbox.call("GetFolder", {{"FolderId", "r-sandbx"}}).text("/Folder/ParentFolderId"), "") << "Root has no parent";
}

TEST(GetFolder, NamesWhatIsWrong) {
    Sandbox sandbox;
    EXPECT_EQ(sandbox.call("GetFolder", {{"FolderId", "fd-0000000000"}}).code(), "EntityNotExists.Folder");
    EXPECT_EQ(sandbox.call("GetFolder", {{"FolderId", "r-otherx"}}).code(), "EntityNotExists.Folder") << "of another directory";
    EXPECT_EQ(sandbox.call("GetFolder", {{"FolderId", "folder"}}).code(), "InvalidParameter.FolderId");
    EXPECT_EQ(sandbox.call("GetFolder", {{"FolderId", ""}}).code(), "MissingParameter.FolderId");
    EXPECT_EQ(sandbox.call("GetFolder").code(), "MissingFolderId");
}

}  // namespace
}  // namespace openrd::tests
