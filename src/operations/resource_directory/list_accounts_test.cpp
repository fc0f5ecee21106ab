#include "support/sandbox.hpp"

#include <gtest/gtest.h>

#include <set>

namespace openrd::tests {
namespace {

struct ListAccounts : testing::Test {
    Sandbox sandbox;
    std::set<std::string> created;
    void SetUp() override {
        for (int i = 0; i < 7; ++i) {
            const Parameters parameters{{"DisplayName", "squad-" + std::to_string(i)}, {"Tag.1.Key", "n"}, {"Tag.1.Value", std::to_string(i % 2)}};
            created.insert(sandbox.call("CreateResourceAccount", parameters).text("/Account/AccountId"));
        }
    }
};

TEST_F(ListAccounts, PagesByNumberAndCounts) {
    std::set<std::string> seen;
    for (int page = 1; page <= 4; ++page) {
        const auto answer = sandbox.call("ListAccounts", {{"PageNumber", std::to_string(page)}, {"PageSize", "3"}});
        EXPECT_EQ(answer.text("/TotalCount"), "10");
        EXPECT_EQ(answer.text("/PageSize"), "3");
        EXPECT_EQ(answer.text("/NextToken"), "");
        const auto json = answer.json();
        for (const auto& account : json.at("Accounts").at("Account").as_array()) EXPECT_TRUE(seen.insert(std::string(account.at("AccountId").as_string())).second);
    }
    EXPECT_EQ(seen.size(), 10u);
    EXPECT_FALSE(seen.contains(management_id)) << "the management account is no member";
}

TEST_F(ListAccounts, PagesByTokenToTheEnd) {
    std::set<std::string> seen;
    std::string token;
    for (int page = 0; page < 10; ++page) {
        Parameters parameters{{"MaxResults", "4"}, {"PageNumber", "9"}};
        if (!token.empty()) parameters.emplace_back("NextToken", token);
        const auto answer = sandbox.call("ListAccounts", parameters);
        ASSERT_EQ(answer.status, 200) << answer;
        const auto json = answer.json();
        for (const auto& account : json.at("Accounts").at("Account").as_array()) EXPECT_TRUE(seen.insert(std::string(account.at("AccountId").as_string())).second);
        token = answer.text("/NextToken");
        if (token.empty()) break;
        EXPECT_LE(token.size(), 256u);
    }
    EXPECT_EQ(seen.size(), 10u);
    EXPECT_EQ(token, "") << "the last page has no token";
}

TEST_F(ListAccounts, TokensOfOthersAreRefused) {
    const auto token = sandbox.call("ListAccounts", {{"MaxResults", "4"}}).text("/NextToken");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"MaxResults", "4"}, {"NextToken", token}, {"QueryKeyword", "x"}}).code(), "InvalidParameter.NextToken");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"MaxResults", "4"}, {"NextToken", token}}, {.key = other_key}).code(), "InvalidParameter.NextToken");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"NextToken", "made-up"}}).code(), "InvalidParameter.NextToken");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"NextToken", std::string(257, 'x')}}).code(), "InvalidParameter.NextToken.Length");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"MaxResults", "101"}}).code(), "InvalidParameter.MaxResults");
}

TEST_F(ListAccounts, NarrowsByNameAndByTags) {
    EXPECT_EQ(sandbox.call("ListAccounts", {{"QueryKeyword", "SQUAD"}}).text("/TotalCount"), "7");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"Tag.1.Key", "n"}, {"Tag.1.Value", "0"}}).text("/TotalCount"), "4");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"Tag.1.Key", "n"}}).text("/TotalCount"), "7");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"Tag.1.Key", "n"}, {"Tag.1.Value", "0"}, {"QueryKeyword", "squad-2"}}).text("/TotalCount"), "1");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"Tag.1.Key", "nobody-has-it"}}).text("/Accounts/Account"), "[]");
}

TEST_F(ListAccounts, ClampsPagesAndRefusesWhatIsNoNumber) {
    EXPECT_EQ(sandbox.call("ListAccounts", {{"PageSize", "500"}}).text("/PageSize"), "100");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"PageSize", "-1"}}).text("/PageSize"), "1");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"PageSize", "ten"}}).code(), "InvalidPageSize");
    EXPECT_EQ(sandbox.call("ListAccounts", {{"PageNumber", "99999999999999999999"}}).code(), "InvalidPageNumber");
}

TEST_F(ListAccounts, OlderVersionKnowsNoTokensAndNoNames) {
    const auto answer = sandbox.call("ListAccounts", {{"MaxResults", "1"}, {"IncludeTags", "true"}}, {.version = "2020-03-31"});
    EXPECT_EQ(answer.json().at("Accounts").at("Account").as_array().size(), 10u);
    EXPECT_EQ(answer.text("/NextToken"), "");
    EXPECT_EQ(answer.text("/Accounts/Account/0/AccountName"), "");
    EXPECT_NE(answer.body.find("\"Tags\":{\"Tag\":["), std::string::npos);
}

}  // namespace
}  // namespace openrd::tests
