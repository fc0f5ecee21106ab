#include "openrd/describe.hpp"

#include "openrd/failure.hpp"

#include <gtest/gtest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <set>
#include <string>

namespace openrd {
namespace {

TEST(Describe, KnowsAnOperationInEveryVersion) {
    const auto json = boost::json::parse(description({.action = "bindsecuremobilephone", .format = "json"}));
    ASSERT_EQ(json.at("operations").as_array().size(), 2u);
    EXPECT_EQ(json.at("operations").at(0).at("name").as_string(), "BindSecureMobilePhone");
    EXPECT_EQ(boost::json::parse(description({.action = "BindSecureMobilePhone", .version = "2022-04-19", .format = "json"})).at("operations").as_array().size(), 1u);
}

TEST(Describe, SpeaksMarkdown) {
    const auto text = description({.action = "GetAccount"});
    EXPECT_NE(text.find("## GetAccount (ResourceDirectoryMaster 2022-04-19)"), std::string::npos) << text;
    EXPECT_NE(text.find("`AccountId`"), std::string::npos);
}

TEST(Describe, RefusesWhatThereIsNot) {
    EXPECT_THROW(description({.action = "NoSuchAction"}), Failure);
    EXPECT_THROW(description({.action = "GetAccount", .version = "1999-01-01"}), Failure);
    EXPECT_THROW(description({.action = "GetAccount", .version = "2015-04-01"}), Failure);
    EXPECT_THROW(description({.action = "GetAccount", .format = "yaml"}), Failure);
}

const boost::json::object& only_post(const boost::json::value& document, const char* path) { return document.at("paths").at(path).at("post").as_object(); }

TEST(OpenApi, HasOnePathForEachOperationAndVersion) {
    const auto document = boost::json::parse(description({.format = "openapi"}));
    EXPECT_EQ(document.at("openapi").as_string(), "3.0.3");
    EXPECT_FALSE(document.at("info").at("title").as_string().empty());
    std::set<std::string> ids;
    for (const auto& [path, item] : document.at("paths").as_object()) {
        EXPECT_EQ(path.front(), '/');
        const auto& post = item.at("post").as_object();
        EXPECT_TRUE(ids.emplace(post.at("operationId").as_string()).second);
        EXPECT_TRUE(post.at("responses").as_object().contains("200"));
        for (const auto& parameter : post.at("parameters").as_array()) {
            EXPECT_EQ(parameter.at("in").as_string(), "query");
            EXPECT_TRUE(parameter.at("schema").as_object().contains("type"));
        }
    }
    EXPECT_GE(ids.size(), 14u);
}

TEST(OpenApi, TellsParametersAnswersAndFaults) {
    const auto document = boost::json::parse(description({.action = "GetAccount", .version = "2022-04-19", .format = "openapi"}));
    const auto& post = only_post(document, "/#Action=GetAccount&Version=2022-04-19");
    EXPECT_EQ(post.at("parameters").at(0).at("name").as_string(), "AccountId");
    EXPECT_TRUE(post.at("parameters").at(0).at("required").as_bool());
    const auto& schema = post.at("responses").at("200").at("content").at("application/json").at("schema");
    const auto& account = schema.at("properties").at("Account").at("properties");
    EXPECT_EQ(schema.at("properties").at("RequestId").at("type").as_string(), "string");
    EXPECT_EQ(account.at("HasSecureMobilePhone").at("type").as_string(), "boolean");
    EXPECT_EQ(account.at("Tags").at("type").as_string(), "array");
    EXPECT_EQ(account.at("Tags").at("items").at("properties").at("Key").at("type").as_string(), "string");
    EXPECT_NE(post.at("responses").at("404").at("description").as_string().find("EntityNotExists.Account"), boost::json::string::npos);
}

}  // namespace
}  // namespace openrd
