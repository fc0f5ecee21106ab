// What holds for every operation, by its declaration alone (house.md 3).
#include "api/registry.hpp"
#include "base/log.hpp"
#include "support/sandbox.hpp"
#include "wire/xml_writer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace openrd::tests {
namespace {

// Parameters with which an operation succeeds on the seed. A new operation does not pass the first law without a row here.
const std::map<std::string_view, Parameters>& good_parameters() {
    static const std::map<std::string_view, Parameters> table{
        {"AssumeRole", {{"RoleArn", "acs:ram::1000000000000001:role/operator"}, {"RoleSessionName", "alice"}}},
        {"BindSecureMobilePhone", {{"AccountId", blue_id}, {"SecureMobilePhone", good_phone}, {"VerificationCode", "(sent)"}}},
        {"CreateFolder", {{"FolderName", "platform"}}},
        {"CreateResourceAccount", {{"DisplayName", "team-green"}}},
        {"EnableResourceDirectory", {{"EnableMode", "CurrentAccount"}}},
        {"GetAccount", {{"AccountId", red_id}}},
        {"GetCallerIdentity", {}},
        {"GetFolder", {{"FolderId", "fd-sandboxwrk"}}},
        {"GetResourceDirectory", {}},
        {"ListAccounts", {{"IncludeTags", "true"}}},
        {"ListAccountsForParent", {}},
        {"ListFoldersForParent", {}},
        {"LookupEvents", {}},
        {"SendVerificationCodeForBindSecureMobilePhone", {{"AccountId", blue_id}, {"SecureMobilePhone", good_phone}}},
    };
    return table;
}

std::string date_of(const api::AnyOperation& operation) {
    for (const api::Version v : {api::master_2022, api::manager_2020, api::ram_2015, api::sts_2015, api::trail_2020})
        if (operation.served_as.has(v)) return std::string(api::facts_of(v).date);
    return {};
}
How how_of(const api::AnyOperation& operation, const Key& key = admin_key) {
    How how{.key = operation.name == "EnableResourceDirectory" && key.id == admin_key.id ? outside_key : key};
    how.version = date_of(operation);
    return how;
}
Parameters parameters_of(Sandbox& sandbox, const api::AnyOperation& operation) {
    auto parameters = good_parameters().at(operation.name);
    for (auto& [name, value] : parameters)
        if (value == "(sent)") {
            EXPECT_EQ(sandbox.send_code().status, 200);
            value = sandbox.code_of();
        }
    return parameters;
}

class EveryOperation : public testing::TestWithParam<const api::AnyOperation*> {
  protected:
    const api::AnyOperation& operation() const { return *GetParam(); }
    Sandbox sandbox;
};

TEST_P(EveryOperation, SucceedsOnTheSeedAndIsRecordedWhenItWrites) {
    ASSERT_TRUE(good_parameters().contains(operation().name)) << "a new operation needs a row in good_parameters()";
    const auto answer = sandbox.call(operation().name, parameters_of(sandbox, operation()), how_of(operation()));
    EXPECT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.text("/RequestId"), answer.request_id);
    const auto account = operation().name == "EnableResourceDirectory" ? outside_id : management_id;
    const auto events = sandbox.events(account);
    const auto recorded = std::ranges::count_if(events, [&](const auto& e) { return e.at("requestId").as_string() == std::string_view(answer.request_id); });
    EXPECT_EQ(recorded, operation().effect == api::Effect::write ? 1 : 0);
}

TEST_P(EveryOperation, RefusesACallerWithoutTheActionAndRecordsIt) {
    if (operation().action.open) return;
    const auto answer = sandbox.call(operation().name, parameters_of(sandbox, operation()), how_of(operation(), nobody_key));
    EXPECT_EQ(answer.status, 403) << answer;
    EXPECT_EQ(answer.code(), "NoPermission");
    EXPECT_EQ(answer.text("/AccessDeniedDetail/AuthAction"), operation().action.text);
    EXPECT_EQ(answer.text("/AccessDeniedDetail/AuthPrincipalType"), "SubUser");
    const auto last = sandbox.events().back();
    EXPECT_EQ(last.at("requestId").as_string(), std::string_view(answer.request_id));
    EXPECT_EQ(last.at("errorCode").as_string(), "NoPermission");
}

TEST_P(EveryOperation, NamesEachRequiredParameterThatIsMissing) {
    for (const auto& field : operation().parameters) {
        if (field.presence != api::Presence::required) continue;
        Parameters parameters;
        for (const auto& p : good_parameters().at(operation().name))
            if (p.first != field.name) parameters.push_back(p);
        const auto answer = sandbox.call(operation().name, parameters, how_of(operation()));
        EXPECT_EQ(answer.status, 400) << answer;
        EXPECT_EQ(answer.code(), "Missing" + std::string(field.name));
        EXPECT_EQ(answer.message(), std::string(field.name) + " is mandatory for this action.");
    }
}

TEST_P(EveryOperation, ReadLeavesEveryTableAsItWas) {
    if (operation().effect != api::Effect::read) return;
    const auto before = sandbox.everything();
    EXPECT_EQ(sandbox.call(operation().name, good_parameters().at(operation().name), how_of(operation())).status, 200);
    EXPECT_EQ(sandbox.everything(), before);
}

TEST_P(EveryOperation, RefusedWriteChangesNothingButTheLog) {
    if (operation().effect != api::Effect::write) return;
    const auto parameters = parameters_of(sandbox, operation());
    const auto tables = [&] {
        std::string all = sandbox.everything(), kept;
        // The log itself, the key of the person that the refusal's record is about, and on a shared database the nonce that it has used up.
        for (std::size_t at = 0; at < all.size();) {
            const auto end = std::min(all.find("\n== ", at + 1), all.size());
            const auto table = all.substr(at, end - at);
            const auto is = [&](const char* name) { return table.substr(0, table.find('\n', 1)).ends_with(std::string("== ") + name); };
            if (!is("audit_events") && !is("subjects") && !is("nonces")) kept += table;
            at = end;
        }
        return kept;
    };
    const auto before = tables();
    EXPECT_EQ(sandbox.call(operation().name, parameters, how_of(operation(), nobody_key)).status, 403);
    EXPECT_EQ(tables(), before);
}

TEST_P(EveryOperation, SecretsAppearNeitherInTheLogNorInTheDatabase) {
    const std::string canary_number = "8198765432", canary = "canary-4711";
    Parameters parameters = good_parameters().at(operation().name);
    bool planted = false;
    for (auto& [name, value] : parameters) {
        for (const auto& field : operation().parameters)
            if (field.name == name && field.type->secret) {
                value = field.type->personal ? "65-" + canary_number.substr(0, 8) : canary;
                planted = true;
            }
    }
    base::log::set_level(base::log::Level::debug);
    testing::internal::CaptureStderr();
    for (const auto& format : {"JSON", "XML"})
        for (const auto scheme : {Scheme::v3, Scheme::v1_get, Scheme::v1_post}) {
            auto how = how_of(operation());
            how.format = format;
            how.scheme = scheme;
            sandbox.call(operation().name, parameters, how);
        }
    const auto log = testing::internal::GetCapturedStderr();
    base::log::set_level(base::log::Level::info);
    EXPECT_NE(log.find("\"event\":\"call\""), std::string::npos) << "the log is on";
    const auto database = sandbox.everything();
    for (const auto& secret : {canary, canary_number.substr(0, 8), admin_key.secret, outside_key.secret}) {
        EXPECT_EQ(log.find(secret), std::string::npos) << secret;
        EXPECT_EQ(database.find(secret), std::string::npos) << secret;
    }
    if (planted) { EXPECT_NE(database.find("***"), std::string::npos) << "recorded, and hidden"; }
}

// What the JSON answer says, written as XML by the rule of protocol.md D.3, is the XML answer.
TEST_P(EveryOperation, JsonAndXmlCarryTheSameTree) {
    if (operation().effect != api::Effect::read) return;
    auto how = how_of(operation());
    const auto in_json = sandbox.call(operation().name, good_parameters().at(operation().name), how);
    how.format = "XML";
    const auto in_xml = sandbox.call(operation().name, good_parameters().at(operation().name), how);
    std::string expected = "<?xml version='1.0' encoding='UTF-8'?><" + std::string(operation().name) + "Response>";
    const auto body = in_json.json().as_object();
    for (const auto& [name, value] : body) {
        if (name == "RequestId") expected += "<RequestId>" + in_xml.request_id + "</RequestId>";
        else wire::append_json_as_xml(expected, name, boost::json::serialize(value));
    }
    EXPECT_EQ(in_xml.body, expected + "</" + std::string(operation().name) + "Response>");
}

TEST_P(EveryOperation, RefusalsAreWellFormedInBothFormats) {
    for (const auto& format : {"JSON", "XML"}) {
        auto how = how_of(operation());
        how.key.secret = "a wrong secret";
        how.format = format;
        const auto answer = sandbox.call(operation().name, good_parameters().at(operation().name), how);
        EXPECT_EQ(answer.status, 400);
        for (const auto* field : {"RequestId", "HostId", "Code", "Message", "Recommend"}) EXPECT_NE(answer.body.find(field), std::string::npos) << answer;
        EXPECT_NE(answer.body.find("SignatureDoesNotMatch"), std::string::npos);
    }
}

TEST_P(EveryOperation, IsDeclaredWithASentenceAndServedInAVersion) {
    EXPECT_TRUE(operation().summary.ends_with("."));
    EXPECT_FALSE(date_of(operation()).empty());
    for (const api::Version v : api::every_version)
        if (operation().served_as.has(v)) { EXPECT_EQ(api::vendor_action(operation().name, v), operation().name); }
    for (const auto& fault : operation().faults()) EXPECT_FALSE(fault.kind->message.empty());
}

INSTANTIATE_TEST_SUITE_P(Laws, EveryOperation, testing::ValuesIn(api::operations().begin(), api::operations().end()), [](const auto& of) { return std::string(of.param->name); });

}  // namespace
}  // namespace openrd::tests
