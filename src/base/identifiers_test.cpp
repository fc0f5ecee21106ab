#include "base/identifiers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace openrd::base {
namespace {

TEST(Identifiers, HaveTheVendorsForms) {
    const auto folder = identifier("fd-", 10);
    EXPECT_EQ(folder.size(), 13u);
    EXPECT_TRUE(folder.starts_with("fd-"));
    EXPECT_TRUE(std::ranges::all_of(folder.substr(3), [](unsigned char c) { return std::isalnum(c) != 0; }));
    const auto account = random_digits(16);
    EXPECT_EQ(account.size(), 16u);
    EXPECT_NE(account[0], '0');
    EXPECT_TRUE(std::ranges::all_of(account, [](unsigned char c) { return std::isdigit(c) != 0; }));
}

TEST(Identifiers, RequestIdsAreUpperCaseUuidsAndDiffer) {
    std::set<std::string> seen;
    for (int i = 0; i < 10'000; ++i) {
        const auto id = request_id();
        ASSERT_EQ(id.size(), 36u);
        ASSERT_EQ(id[14], '4');
        ASSERT_TRUE(std::ranges::all_of(id, [](unsigned char c) { return c == '-' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); })) << id;
        ASSERT_TRUE(seen.insert(id).second);
    }
}

TEST(Identifiers, LargeRequestsForBytesAreServedToo) {
    EXPECT_EQ(random_bytes(10'000).size(), 10'000u);
    EXPECT_NE(random_bytes(32), random_bytes(32));
}

}  // namespace
}  // namespace openrd::base
