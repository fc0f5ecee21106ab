#include "sandbox/guard.hpp"

#include "sandbox/testing.hpp"

namespace openrd::sandbox {
namespace {

using testing::Asking;

bool refused(std::vector<std::pair<std::string, std::string>> headers, std::string_view listening = "127.0.0.1") {
    Asking asking{.headers = std::move(headers)};
    return !refuse_foreign(asking.request(), listening).empty();
}

TEST(Guard, TakesEveryLoopbackNameAsAHost) {
    for (const char* host :
         {"127.0.0.1:8080", "127.0.0.1", "127.8.9.10:1", "localhost:8080", "LocalHost", "openrd.localhost:8080", "a.b.localhost", "[::1]:8080", "[::1]", "[0:0:0:0:0:0:0:1]:80"})
        EXPECT_FALSE(refused({{"Host", host}})) << host;
}

TEST(Guard, RefusesEveryOtherHost) {
    for (const char* host : {"", "evil.example", "evil.example:8080", "localhost.evil.example", "notlocalhost", "127.0.0.1.evil.example", "10.0.0.5:8080", "128.0.0.1",
                             "[::2]:8080", "[::1", "[::1]x", "127.0.0.1:80:80", "127.0.0.1:evil", "0.0.0.0:8080", "2130706433", "0x7f.0.0.1", "127.1"})
        EXPECT_TRUE(refused({{"Host", host}})) << host;
    EXPECT_TRUE(refused({})) << "no Host at all";
}

TEST(Guard, TakesTheAddressItListensOn) {
    EXPECT_FALSE(refused({{"Host", "10.0.0.5:8080"}}, "10.0.0.5"));
    EXPECT_FALSE(refused({{"Host", "[fd00::5]:8080"}}, "fd00:0::5"));
    EXPECT_TRUE(refused({{"Host", "10.0.0.6:8080"}}, "10.0.0.5"));
    EXPECT_TRUE(refused({{"Host", "sandbox.internal:8080"}}, "10.0.0.5"));
}

TEST(Guard, TakesAnyAddressButNoNameWhenItListensOnAll) {
    EXPECT_FALSE(refused({{"Host", "172.17.0.2:8080"}}, "0.0.0.0"));
    EXPECT_FALSE(refused({{"Host", "[fd00::5]:8080"}}, "::"));
    EXPECT_TRUE(refused({{"Host", "evil.example:8080"}}, "0.0.0.0"));
}

TEST(Guard, RefusesPagesOfAnotherOrigin) {
    for (const char* origin : {"http://evil.example", "https://evil.example:8080", "http://localhost:3000", "http://localhost:8080", "http://127.0.0.1", "http://127.0.0.1:80800",
                               "null", "", "file://", "http://127.0.0.1:8080.evil.example", "127.0.0.1:8080"})
        EXPECT_TRUE(refused({{"Host", "127.0.0.1:8080"}, {"Origin", origin}})) << origin;
}

TEST(Guard, TakesItsOwnPagesAndThoseWhoAreNoPage) {
    EXPECT_FALSE(refused({{"Host", "127.0.0.1:8080"}, {"Origin", "http://127.0.0.1:8080"}}));
    EXPECT_FALSE(refused({{"Host", "localhost:8080"}, {"origin", "http://LOCALHOST:8080"}}));
    EXPECT_FALSE(refused({{"Host", "127.0.0.1:8080"}, {"Sec-Fetch-Site", "same-origin"}}));
    EXPECT_FALSE(refused({{"Host", "127.0.0.1:8080"}, {"Sec-Fetch-Site", "none"}}));
}

TEST(Guard, RefusesWhatABrowserCallsForeign) {
    EXPECT_TRUE(refused({{"Host", "127.0.0.1:8080"}, {"Sec-Fetch-Site", "cross-site"}}));
    EXPECT_TRUE(refused({{"Host", "127.0.0.1:8080"}, {"Sec-Fetch-Site", "same-site"}})) << "a page of another port";
    EXPECT_TRUE(refused({{"Host", "127.0.0.1:8080"}, {"Origin", "http://127.0.0.1:8080"}, {"Origin", "http://evil.example"}}));
    EXPECT_TRUE(refused({{"Host", "127.0.0.1:8080"}, {"Host", "evil.example"}}));
}

}  // namespace
}  // namespace openrd::sandbox
