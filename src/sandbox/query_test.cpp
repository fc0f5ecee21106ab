#include "sandbox/query.hpp"

#include <gtest/gtest.h>

namespace openrd::sandbox {
namespace {

TEST(Query, IsDecodedAndAPlusStandsForItself) {
    const auto target = parse_target("/_openrd/inbox?to=+6581234567&account=1000000000000002&a%20b=%E4%B8%AD");
    ASSERT_TRUE(target);
    EXPECT_EQ(target->path, "/_openrd/inbox");
    EXPECT_EQ(target->find("to"), "+6581234567");
    EXPECT_EQ(target->find("account"), "1000000000000002");
    EXPECT_EQ(target->find("a b"), "\xE4\xB8\xAD");
    EXPECT_EQ(target->find("wait"), std::nullopt);
}

TEST(Query, MayBeEmptyInEveryWay) {
    for (const char* text : {"/x", "/x?", "/x?&", "/x?&&"}) {
        const auto target = parse_target(text);
        ASSERT_TRUE(target) << text;
        EXPECT_EQ(target->path, "/x");
        EXPECT_TRUE(target->query.empty());
    }
    EXPECT_EQ(parse_target("/x?to=")->find("to"), "");
    EXPECT_EQ(parse_target("/x?to")->find("to"), "");
}

TEST(Query, IsRefusedWhenMalformedOrAmbiguous) {
    for (const char* text : {"/x?a=%", "/x?a=%1", "/x?a=%GG", "/x?%zz=1", "/x?a=1&a=2", "/x?a=%00", "/x?a=%FF"}) EXPECT_FALSE(parse_target(text)) << text;
    std::string many = "/x?";
    for (int i = 0; i < 33; ++i) many += "a" + std::to_string(i) + "=1&";
    EXPECT_FALSE(parse_target(many));
}

}  // namespace
}  // namespace openrd::sandbox
