#include "base/time_text.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

#include <set>

namespace openrd::tests {
namespace {

struct LookupEvents : testing::Test {
    Sandbox sandbox;
    Answer lookup(const Parameters& parameters = {}, const Key& key = admin_key) { return sandbox.call("LookupEvents", parameters, {.key = key, .version = "2020-07-06"}); }
    static std::size_t size(const Answer& answer) { return answer.json().at("Events").as_array().size(); }
    void SetUp() override {
        sandbox.clock().freeze(true);
        for (int i = 0; i < 5; ++i) {
            sandbox.call("CreateFolder", {{"FolderName", "f" + std::to_string(i)}});
            sandbox.clock().advance_ms(2 * base::second_ms);
        }
        sandbox.call("CreateFolder", {{"FolderName", "bad name"}});
    }
};

TEST_F(LookupEvents, ShowsACallAsSoonAsItIsAnswered) {
    const auto answer = lookup();
    ASSERT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(size(answer), 6u);
    EXPECT_EQ(answer.text("/Events/0/errorCode"), "InvalidParameter.Folder.Name") << "newest first, refusals too";
    EXPECT_EQ(answer.text("/Events/5/requestParameters/FolderName"), "f0");
    EXPECT_EQ(answer.text("/Events/5/resourceType"), "ACS::ResourceManager::Folder");
    EXPECT_EQ(answer.text("/NextToken"), "");
    EXPECT_EQ(lookup({{"Direction", "FORWARD"}}).text("/Events/0/requestParameters/FolderName"), "f0");
}

TEST_F(LookupEvents, PagesInBothDirections) {
    for (const auto* direction : {"BACKWARD", "FORWARD"}) {
        std::set<std::string> seen;
        std::string token;
        for (int page = 0; page < 10; ++page) {
            Parameters parameters{{"MaxResults", "2"}, {"Direction", direction}};
            if (!token.empty()) parameters.emplace_back("NextToken", token);
            const auto answer = lookup(parameters);
            ASSERT_EQ(answer.status, 200) << answer;
            const auto json = answer.json();
            for (const auto& event : json.at("Events").as_array()) EXPECT_TRUE(seen.insert(std::string(event.at("eventId").as_string())).second);
            token = answer.text("/NextToken");
            if (token.empty()) break;
        }
        EXPECT_EQ(seen.size(), 6u) << direction;
    }
}

TEST_F(LookupEvents, FiltersByEachAttribute) {
    const auto all = lookup().json().at("Events").as_array();
    const auto id = std::string(all[5].at("eventId").as_string());
    const auto folder = std::string(all[5].at("resourceName").as_string());
    const auto found = [&](const char* key, const std::string& value) { return size(lookup({{"LookupAttribute.1.Key", key}, {"LookupAttribute.1.Value", value}})); };
    EXPECT_EQ(found("EventId", id), 1u);
    EXPECT_EQ(found("ResourceName", folder), 1u);
    EXPECT_EQ(found("ResourceType", "ACS::ResourceManager::Folder"), 5u);
    EXPECT_EQ(found("EventName", "CreateFolder"), 6u);
    EXPECT_EQ(found("EventName", "DeleteFolder"), 0u);
    EXPECT_EQ(found("User", "admin"), 6u);
    EXPECT_EQ(found("ServiceName", "ResourceManager"), 6u);
    EXPECT_EQ(found("EventRW", "Write"), 6u);
    EXPECT_EQ(found("EventAccessKeyId", "LTAIsandboxAdmin001"), 6u);
    EXPECT_EQ(
        size(lookup(
            {{"LookupAttribute.1.Key", "EventName"}, {"LookupAttribute.1.Value", "CreateFolder"}, {"LookupAttribute.2.Key", "ResourceName"}, {"LookupAttribute.2.Value", folder}})),
        1u);
}

TEST_F(LookupEvents, NarrowsByTime) {
    const auto now = sandbox.clock().now_ms();
    const auto between = [&](std::int64_t from, std::int64_t to) { return lookup({{"StartTime", base::utc_seconds(from)}, {"EndTime", base::utc_seconds(to)}}); };
    EXPECT_EQ(size(between(now - base::hour_ms, now)), 6u);
    EXPECT_EQ(size(between(now - 2 * base::hour_ms, now - base::hour_ms)), 0u);
    EXPECT_EQ(between(now, now - base::hour_ms).code(), "InvalidParameterEndTime");
    EXPECT_EQ(between(now - 91 * base::day_ms, now).code(), "InvalidParameterStartTime");
    EXPECT_EQ(lookup({{"StartTime", base::utc_seconds(now)}}).code(), "InvalidParameterCombination");
    EXPECT_EQ(lookup({{"StartTime", "yesterday"}, {"EndTime", base::utc_seconds(now)}}).code(), "InvalidParameterStartTime");
}

TEST_F(LookupEvents, RefusesWhatItDoesNotKnow) {
    EXPECT_EQ(lookup({{"LookupAttribute.1.Key", "Colour"}, {"LookupAttribute.1.Value", "red"}}).code(), "InvalidQueryParameter");
    EXPECT_EQ(lookup({{"LookupAttribute.1.Value", "red"}}).code(), "InvalidQueryParameter");
    EXPECT_EQ(lookup({{"MaxResults", "51"}}).code(), "InvalidQueryParameter");
    EXPECT_EQ(lookup({{"MaxResults", "0"}}).code(), "InvalidQueryParameter");
    EXPECT_EQ(lookup({{"NextToken", "made-up"}}).code(), "InvalidQueryParameter");
    EXPECT_EQ(lookup({{"Direction", "SIDEWAYS"}}).code(), "InvalidQueryParameter");
    EXPECT_EQ(lookup({}, reader_key).code(), "NoPermission");
}

TEST_F(LookupEvents, IsOfTheCallersOwnAccount) { EXPECT_EQ(size(lookup({}, outside_key)), 0u); }

TEST_F(LookupEvents, CarriesTheSameTreeInXml) {
    const auto answer = sandbox.call("LookupEvents", {{"MaxResults", "1"}}, {.version = "2020-07-06", .format = "XML"});
    EXPECT_NE(answer.body.find("<Events><eventId>"), std::string::npos) << answer;
    EXPECT_NE(answer.body.find("<userIdentity><type>ram-user</type>"), std::string::npos);
}

}  // namespace
}  // namespace openrd::tests
