#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

TEST(GetResourceDirectory, ShowsTheDirectoryToItsManagerAndItsMembers) {
    Sandbox sandbox;
    const auto answer = sandbox.call("GetResourceDirectory");
    ASSERT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.text("/ResourceDirectory/ResourceDirectoryId"), "rd-sandbx");
    EXPECT_EQ(answer.text("/ResourceDirectory/RootFolderId"), "r-sandbx");
    EXPECT_EQ(answer.text("/ResourceDirectory/MasterAccountId"), management_id);
    EXPECT_EQ(answer.text("/ResourceDirectory/ControlPolicyStatus"), "Disabled");
    EXPECT_EQ(answer.text("/ResourceDirectory/MemberAccountDisplayNameSyncStatus"), "Disabled");
    EXPECT_EQ(answer.text("/ResourceDirectory/IdentityInformation").find("Sandbox"), std::string::npos) << "the verified name is masked";
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.version = "2020-03-31"}).text("/ResourceDirectory/MemberAccountDisplayNameSyncStatus"), "");
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.key = joined_key}).text("/ResourceDirectory/ResourceDirectoryId"), "rd-sandbx");
}

TEST(GetResourceDirectory, IsNotInUseForAnAccountInNone) {
    Sandbox sandbox;
    const auto answer = sandbox.call("GetResourceDirectory", {}, {.key = outside_key});
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), "ResourceDirectoryNotInUse");
    EXPECT_EQ(answer.message(), "The specified account is not an Alibaba Cloud account or a member account of the resource directory.");
}

}  // namespace
}  // namespace openrd::tests
