#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

TEST(GetCallerIdentity, SaysWhoCalls) {
    Sandbox sandbox;
    const auto root = sandbox.call("GetCallerIdentity", {}, {.key = root_key, .version = "2015-04-01"});
    EXPECT_EQ(root.text("/IdentityType"), "Account") << root;
    EXPECT_EQ(root.text("/Arn"), "acs:ram::1000000000000001:root");
    EXPECT_EQ(root.text("/PrincipalId"), management_id);
    EXPECT_EQ(root.text("/UserId"), management_id);
    const auto user = sandbox.call("GetCallerIdentity", {}, {.key = nobody_key, .version = "2015-04-01"});
    EXPECT_EQ(user.text("/IdentityType"), "RAMUser") << "no permission is needed";
    EXPECT_EQ(user.text("/Arn"), "acs:ram::1000000000000001:user/nobody");
    EXPECT_EQ(user.text("/UserId"), user.text("/PrincipalId"));
    EXPECT_EQ(user.text("/RoleId"), "");
}

}  // namespace
}  // namespace openrd::tests
