#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

struct CreateFolder : testing::Test {
    Sandbox sandbox;
    Answer create(const std::string& name, const std::string& parent = "") {
        return sandbox.call("CreateFolder", parent.empty() ? Parameters{{"FolderName", name}} : Parameters{{"FolderName", name}, {"ParentFolderId", parent}});
    }
};

TEST_F(CreateFolder, BelowRootUnlessToldOtherwise) {
    const auto made = create("platform");
    ASSERT_EQ(made.status, 200) << made;
    EXPECT_EQ(made.text("/Folder/ParentFolderId"), "r-sandbx");
    const auto id = made.text("/Folder/FolderId");
    EXPECT_TRUE(id.starts_with("fd-") && id.size() == 13);
    EXPECT_EQ(create("inner", id).text("/Folder/ParentFolderId"), id);
    EXPECT_EQ(sandbox.call("GetFolder", {{"FolderId", id}}).text("/Folder/FolderName"), "platform");
}

TEST_F(CreateFolder, FiveLevelsAndNoMore) {
    std::string parent;
    for (int level = 1; level <= 5; ++level) {
        const auto made = create("level" + std::to_string(level), parent);
        ASSERT_EQ(made.status, 200) << level;
        parent = made.text("/Folder/FolderId");
    }
    const auto refused = create("level6", parent);
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), "LimitExceeded.Folder.Depth");
}

TEST_F(CreateFolder, NamesAreUniqueBelowOneParent) {
    const auto refused = create("workloads");
    EXPECT_EQ(refused.status, 400);
    EXPECT_EQ(refused.code(), "InvalidParameter.Folder.Name.AlreadyUsed");
    EXPECT_EQ(create("workloads", "fd-sandboxwrk").status, 200);
}

TEST_F(CreateFolder, NamesWhatIsWrong) {
    EXPECT_EQ(create("").code(), "MissingParameter.Folder.Name");
    EXPECT_EQ(create("a name").code(), "InvalidParameter.Folder.Name");
    EXPECT_EQ(create(std::string(25, 'a')).code(), "InvalidParameter.Folder.Name.Length");
    EXPECT_EQ(create("中文").status, 200) << "Chinese names are allowed (decisions.md F.6)";
    EXPECT_EQ(create("\u202Eredlof").code(), "InvalidParameter.Folder.Name") << "what turns a name around is no name";
    EXPECT_EQ(create("x", "fd-0000000000").code(), "EntityNotExists.Folder");
    EXPECT_EQ(create("x", "nowhere").code(), "InvalidParameter.ParentFolderId");
}

TEST_F(CreateFolder, QuotaHoldsWhereItIsSet) {
    sandbox.settings().quotas.folders = 2;
    EXPECT_EQ(create("second").status, 200);  // workloads is the first
    EXPECT_EQ(create("third").code(), "QuotaExceeded.Folder.Count");
}

TEST_F(CreateFolder, TagsAreOfTheNewerVersion) {
    const Parameters tagged{{"FolderName", "tagged"}, {"Tag.1.Key", "team"}, {"Tag.1.Value", "core"}};
    ASSERT_EQ(sandbox.call("CreateFolder", tagged).status, 200);
    EXPECT_EQ(sandbox.call("ListFoldersForParent", {{"Tag.1.Key", "team"}}).text("/TotalCount"), "1");
    EXPECT_EQ(sandbox.call("CreateFolder", {{"FolderName", "bad"}, {"Tag.1.Key", "acs:x"}}).status, 400);
}

}  // namespace
}  // namespace openrd::tests
