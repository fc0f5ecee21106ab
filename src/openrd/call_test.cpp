#include "openrd/call.hpp"

#include "openrd/failure.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace openrd {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;
constexpr std::int64_t now_ms = 1'698'315'752'000;  // 2023-10-26T10:22:32Z

TEST(ParseCall, TakesParametersInBothForms) {
    const auto call = parse_call({"CreateFolder", "--FolderName", "a b", "--ParentFolderId=r-sandbx", "--Tag.1.Key", "k=v", "--Empty=", "--DryRun", "true"});
    EXPECT_EQ(call.action, "CreateFolder");
    EXPECT_EQ(call.parameters, (Pairs{{"FolderName", "a b"}, {"ParentFolderId", "r-sandbx"}, {"Tag.1.Key", "k=v"}, {"Empty", ""}, {"DryRun", "true"}}));
    EXPECT_EQ(call.format, "json");
    EXPECT_EQ(call.signature, SignatureVersion::v3);
}

TEST(ParseCall, LetsAValueLookLikeAnOption) { EXPECT_EQ(parse_call({"A", "--Number", "-5", "--Name", "--version"}).parameters, (Pairs{{"Number", "-5"}, {"Name", "--version"}})); }

TEST(ParseCall, TellsOptionsFromParametersByTheirFirstLetter) {
    const auto call =
        parse_call({"--version", "2020-03-31", "GetAccount", "--Version", "x", "--format=xml", "--signature", "v1", "--method", "GET", "--endpoint", "http://h", "--profile", "p"});
    EXPECT_EQ(call.version, "2020-03-31");
    EXPECT_EQ(call.parameters, (Pairs{{"Version", "x"}}));
    EXPECT_EQ(call.format, "xml");
    EXPECT_EQ(call.signature, SignatureVersion::v1);
    EXPECT_EQ(call.method, "GET");
    EXPECT_EQ(call.endpoint, "http://h");
    EXPECT_EQ(call.profile, "p");
}

TEST(ParseCall, RefusesWhatMakesNoSense) {
    const std::vector<std::vector<std::string>> bad = {{},
                                                       {"--AccountId", "1"},
                                                       {"A", "B"},
                                                       {"A", "--Name"},
                                                       {"A", "--"},
                                                       {"A", "--", "x"},
                                                       {"A", "--nothing", "x"},
                                                       {"A", "--format", "yaml"},
                                                       {"A", "--signature", "v2"},
                                                       {"A", "--method", "PUT"},
                                                       {"A", "--X", "1", "--X", "2"},
                                                       {"A", "--X&Y", "1"},
                                                       {"A", "--X Y", "1"},
                                                       {"A", "-x"}};
    for (const auto& words : bad) {
        try {
            parse_call(words);
            ADD_FAILURE() << (words.empty() ? "nothing" : words.back());
        } catch (const Failure& failure) { EXPECT_EQ(failure.status(), 2); }
    }
}

TEST(DefaultVersion, IsTheDirectorysWhereItHasTheAction) {
    EXPECT_EQ(default_version("BindSecureMobilePhone"), "2022-04-19");
    EXPECT_EQ(default_version("bindsecuremobilephone"), "2022-04-19");
    EXPECT_EQ(default_version("InitResourceDirectory"), "2020-03-31");
    EXPECT_EQ(default_version("GetCallerIdentity"), "2015-04-01");
    EXPECT_EQ(default_version("LookupEvents"), "2020-07-06");
    EXPECT_EQ(default_version("CreateUser"), "2015-05-01");
    EXPECT_EQ(default_version("NoSuchAction"), "2022-04-19");
}

std::string header(const HttpRequest& request, std::string_view name) {
    const auto at = std::ranges::find(request.headers, name, &std::pair<std::string, std::string>::first);
    return at == request.headers.end() ? "" : at->second;
}

// The server's own verification takes it.
void expect_verified(const HttpRequest& request, const wire::SigningKey& key) {
    const auto authorization = header(request, "authorization");
    const auto given = wire::parse_authorization(authorization);
    ASSERT_TRUE(given) << authorization;
    std::vector<wire::HeaderView> headers;
    for (const auto& [name, value] : request.headers) headers.push_back({name, value});
    const auto mark = request.url.find('?');
    const auto query = wire::query_pairs(mark == std::string::npos ? std::string_view() : std::string_view(request.url).substr(mark + 1));
    const auto verdict = wire::verify_v3(key, *given, {.method = request.method, .query = query, .headers = headers, .body = request.body});
    EXPECT_TRUE(verdict.ok) << verdict.canonical_request;
    EXPECT_TRUE(wire::required_headers_signed(given->signed_headers, !header(request, "x-acs-security-token").empty()));
}

class Signing : public ::testing::Test {
  protected:
    HttpRequest sign() const { return signed_request(call_, *parse_endpoint("http://127.0.0.1:18080"), credentials_, now_ms, "3156853299f313e23d1673dc12e1703d"); }

    CallOptions call_{.action = "CreateFolder", .version = "2022-04-19", .parameters = {{"FolderName", "a b+c*d~e!f'g(h)i/j?k=l&m%n\xE4\xB8\xAD"}, {"Empty", ""}}};
    Credentials credentials_{.access_key_id = "testid", .secret = base::Secret("testsecret"), .security_token = {}};
    const wire::SigningKey key_{base::Secret("testsecret")};
};

TEST_F(Signing, V3HasItsParametersInTheQueryOfAPost) {
    const auto request = sign();
    EXPECT_EQ(request.method, "POST");
    EXPECT_TRUE(request.url.starts_with("http://127.0.0.1:18080/?FolderName=a%20b%2Bc")) << request.url;
    EXPECT_EQ(request.body, "");
    EXPECT_EQ(header(request, "host"), "127.0.0.1:18080");
    EXPECT_EQ(header(request, "x-acs-date"), "2023-10-26T10:22:32Z");
    EXPECT_EQ(header(request, "x-acs-security-token"), "");
    expect_verified(request, key_);
}

TEST_F(Signing, V3SignsTheTokenOfASession) {
    credentials_.security_token = "CAIStoken";
    const auto request = sign();
    EXPECT_EQ(header(request, "x-acs-security-token"), "CAIStoken");
    EXPECT_EQ(header(request, "x-acs-accesskey-id"), "testid");
    expect_verified(request, key_);
}

TEST_F(Signing, V3AsksForXmlInTheQuery) {
    call_.format = "xml";
    const auto request = sign();
    EXPECT_TRUE(request.url.ends_with("&Format=XML")) << request.url;
    expect_verified(request, key_);
}

wire::Parameters parameters_of(const std::string& form) {
    const auto collected = wire::collect(form, {}, wire::BodyKind::none, {});
    EXPECT_TRUE(collected);
    return collected.value_or(wire::Parameters());
}

TEST_F(Signing, V1HasEverythingInTheFormOfAPost) {
    call_.signature = SignatureVersion::v1;
    const auto request = sign();
    EXPECT_EQ(request.url, "http://127.0.0.1:18080/");
    EXPECT_EQ(header(request, "content-type"), "application/x-www-form-urlencoded");
    const auto parameters = parameters_of(request.body);
    EXPECT_EQ(*parameters.find("Action"), "CreateFolder");
    EXPECT_EQ(*parameters.find("Format"), "JSON");
    EXPECT_EQ(*parameters.find("FolderName"), call_.parameters.front().second);
    EXPECT_TRUE(wire::verify_v1(key_, wire::SignatureMethod::hmac_sha1, wire::string_to_sign_v1("POST", parameters), *parameters.find("Signature")));
}

TEST_F(Signing, V1HasEverythingInTheQueryOfAGet) {
    call_.signature = SignatureVersion::v1;
    call_.method = "GET";
    call_.format = "xml";
    credentials_.security_token = "CAIStoken";
    const auto request = sign();
    EXPECT_EQ(request.body, "");
    const auto parameters = parameters_of(request.url.substr(request.url.find('?') + 1));
    EXPECT_EQ(*parameters.find("Format"), "XML");
    EXPECT_EQ(*parameters.find("SecurityToken"), "CAIStoken");
    EXPECT_TRUE(wire::verify_v1(key_, wire::SignatureMethod::hmac_sha1, wire::string_to_sign_v1("GET", parameters), *parameters.find("Signature")));
}

class ChooseTarget : public ::testing::Test {
  protected:
    std::pair<Endpoint, Credentials> choose() {
        return choose_target(call_, [this](const char* name) -> std::optional<std::string> {
            const auto at = environment_.find(name);
            return at == environment_.end() ? std::nullopt : std::optional(at->second);
        });
    }
    CallOptions call_{.action = "GetCallerIdentity"};
    std::map<std::string, std::string> environment_;
};

TEST_F(ChooseTarget, IsTheSandboxWhenNobodySaysOtherwise) {
    const auto [endpoint, credentials] = choose();
    EXPECT_EQ(endpoint.url(), "http://127.0.0.1:8080/");
    EXPECT_EQ(credentials.access_key_id, "LTAIsandboxAdmin001");
    EXPECT_EQ(credentials.secret.reveal(), "sandbox-admin-secret");
}

TEST_F(ChooseTarget, TakesTheEnvironmentsPair) {
    environment_ = {{"OPENRD_ENDPOINT", "https://rd.example.com"},
                    {"ALIBABA_CLOUD_ACCESS_KEY_ID", "id"},
                    {"ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret"},
                    {"ALIBABA_CLOUD_SECURITY_TOKEN", "token"}};
    const auto [endpoint, credentials] = choose();
    EXPECT_EQ(endpoint.url(), "https://rd.example.com/");
    EXPECT_EQ(credentials.access_key_id, "id");
    EXPECT_EQ(credentials.security_token, "token");
    call_.endpoint = "127.0.0.1:1";
    EXPECT_EQ(choose().first.url(), "http://127.0.0.1:1/");
}

TEST_F(ChooseTarget, NeverGivesTheSandboxsKeysToAnotherHost) {
    call_.endpoint = "https://rd.example.com";
    EXPECT_THROW(choose(), Failure);
    environment_ = {{"ALIBABA_CLOUD_ACCESS_KEY_ID", "id"}};
    EXPECT_THROW(choose(), Failure) << "an id without its secret";
}

TEST_F(ChooseTarget, RefusesAProfileThatIsNotThere) {
    call_.profile = "work";
    environment_ = {{"HOME", "/nonexistent"}};
    EXPECT_THROW(choose(), Failure);
}

TEST(CliProfiles, AreReadAsTheVendorsCliWritesThem) {
    const auto* config = R"({"current":"b","profiles":[
        {"name":"a","mode":"AK","access_key_id":"ida","access_key_secret":"sa","sts_token":"stale"},
        {"name":"b","mode":"StsToken","access_key_id":"idb","access_key_secret":"sb","sts_token":"tb","endpoint":"127.0.0.1:9"},
        {"name":"c","mode":"RamRoleArn","access_key_id":"idc","access_key_secret":"sc"},
        {"name":"empty","mode":"AK","access_key_id":"","access_key_secret":""}]})";
    EXPECT_EQ(profile_in(config, "")->credentials.access_key_id, "idb");
    EXPECT_EQ(profile_in(config, "")->credentials.security_token, "tb");
    EXPECT_EQ(profile_in(config, "")->endpoint, "127.0.0.1:9");
    EXPECT_EQ(profile_in(config, "a")->credentials.secret.reveal(), "sa");
    EXPECT_EQ(profile_in(config, "a")->credentials.security_token, "") << "a pair has no token";
    EXPECT_THROW(profile_in(config, "c"), Failure);
    EXPECT_THROW(profile_in(config, "empty"), Failure);
    EXPECT_THROW(profile_in(config, "none"), Failure);
}

TEST(CliProfiles, MayBeEmptyButNotBroken) {
    EXPECT_FALSE(profile_in(R"({"current":"default","profiles":[{"name":"default","mode":"AK","access_key_id":"","access_key_secret":""}]})", ""));
    EXPECT_FALSE(profile_in("{}", ""));
    EXPECT_FALSE(profile_in(R"({"profiles":7,"current":[]})", ""));
    for (const char* text : {"", "[]", "{", "null"}) EXPECT_THROW(profile_in(text, ""), Failure) << text;
}

}  // namespace
}  // namespace openrd
