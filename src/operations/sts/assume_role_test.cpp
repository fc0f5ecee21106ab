#include "operations/sts/role_arn.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

const std::string operator_arn = "acs:ram::1000000000000001:role/operator";
const std::string access_arn = "acs:ram::1000000000000002:role/resourcedirectoryaccountaccessrole";

struct AssumeRole : testing::Test {
    Sandbox sandbox;
    Answer assume(const std::string& arn, const Key& key = admin_key, Parameters more = {}) {
        more.insert(more.end(), {{"RoleArn", arn}, {"RoleSessionName", "alice"}});
        return sandbox.call("AssumeRole", more, {.key = key, .version = "2015-04-01"});
    }
    static Key key_of(const Answer& answer) {
        return {answer.text("/Credentials/AccessKeyId"), answer.text("/Credentials/AccessKeySecret"), answer.text("/Credentials/SecurityToken")};
    }
};

TEST_F(AssumeRole, LendsTheRoleThatBindsAPhone) {
    const auto answer = assume(operator_arn);
    ASSERT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(answer.text("/AssumedRoleUser/Arn"), operator_arn + "/alice");
    const auto session = key_of(answer);
    EXPECT_TRUE(session.id.starts_with("STS."));
    EXPECT_TRUE(session.token.starts_with("CAIS"));
    for (const auto scheme : {Scheme::v3, Scheme::v1_get}) {
        const auto identity = sandbox.call("GetCallerIdentity", {}, {.key = session, .version = "2015-04-01", .scheme = scheme});
        EXPECT_EQ(identity.text("/IdentityType"), "AssumedRoleUser") << identity;
        EXPECT_EQ(identity.text("/Arn"), "acs:ram::1000000000000001:assumed-role/operator/alice");
    }
    ASSERT_EQ(sandbox.send_code(blue_id, good_phone, {.key = session}).status, 200);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sandbox.code_of(), {.key = session}).status, 200);
    EXPECT_EQ(sandbox.events().back().at("userIdentity").at("type").as_string(), "assumed-role");
}

TEST_F(AssumeRole, EntersAMemberByItsAccessRoleWhateverTheCaseOfItsName) {
    const auto answer = assume(access_arn);
    ASSERT_EQ(answer.status, 200) << answer;
    EXPECT_EQ(sandbox.call("GetCallerIdentity", {}, {.key = key_of(answer), .version = "2015-04-01"}).text("/AccountId"), blue_id);
}

TEST_F(AssumeRole, NeedsBothTheCallersPolicyAndTheRolesTrust) {
    const auto text = "No permission perform sts:AssumeRole on this Role. Maybe you are not authorized to perform sts:AssumeRole or the specified role does not trust you";
    const auto unauthorized = assume(operator_arn, reader_key);
    EXPECT_EQ(unauthorized.status, 403);
    EXPECT_EQ(unauthorized.code(), "NoPermission");
    EXPECT_EQ(unauthorized.message(), text);
    EXPECT_EQ(unauthorized.text("/AccessDeniedDetail/AuthAction"), "sts:AssumeRole");
    const auto untrusted = assume("acs:ram::1000000000000012:role/ResourceDirectoryAccountAccessRole");
    EXPECT_EQ(untrusted.message(), text);
    EXPECT_EQ(untrusted.text("/AccessDeniedDetail/PolicyType"), "AssumeRolePolicy");
    const auto root = assume(operator_arn, root_key);
    EXPECT_EQ(root.status, 403);
    EXPECT_EQ(root.message(), "Roles may not be assumed by root accounts.");
}

TEST_F(AssumeRole, ChainKeepsTheIdentityItBeganWith) {
    const auto first = assume(operator_arn, admin_key, {{"SourceIdentity", "alice"}});
    EXPECT_EQ(first.text("/SourceIdentity"), "alice");
    sandbox.engine().write_and_wait([](db::Transaction& tx) {
        static constexpr db::Sql allow{
            "INSERT INTO policy_attachments (account_id, principal_kind, principal_id, policy_type, policy_name, attached_at_ms) "
            "SELECT account_id, 'role', role_id, 'System', 'AliyunSTSAssumeRoleAccess', 0 FROM roles WHERE account_id = '1000000000000001' AND role_name = 'operator'"};
        tx.run(allow);
        tx.changed(db::Topic::identities);
    });
    const auto second = assume(operator_arn, key_of(first), {{"SourceIdentity", "bob"}});
    EXPECT_EQ(second.status, 200) << second;
    EXPECT_EQ(second.text("/SourceIdentity"), "alice");
}

TEST_F(AssumeRole, UnknownRoleIsNotFound) {
    const auto answer = assume("acs:ram::1000000000000001:role/nobody-has-it");
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.code(), "EntityNotExist.Role");
}

TEST_F(AssumeRole, SessionPolicyOnlyTakesAway) {
    const auto narrowed =
        key_of(assume(operator_arn, admin_key, {{"Policy", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"resourcemanager:Get*","Resource":"*"}]})"}}));
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", blue_id}}, {.key = narrowed}).status, 200);
    const auto refused = sandbox.send_code(blue_id, good_phone, {.key = narrowed});
    EXPECT_EQ(refused.code(), "NoPermission");
    EXPECT_EQ(refused.text("/AccessDeniedDetail/PolicyType"), "SessionPolicy");
    const auto more = key_of(assume(operator_arn, admin_key, {{"Policy", R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})"}}));
    EXPECT_EQ(sandbox.call("LookupEvents", {}, {.key = more, .version = "2020-07-06"}).code(), "NoPermission") << "the role itself may not";
}

TEST_F(AssumeRole, PolicyWithAConditionIsRefusedNotIgnored) {
    const auto policy = R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"acs:SecureTransport":"true"}}}]})";
    const auto answer = assume(operator_arn, admin_key, {{"Policy", policy}});
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.code(), "InvalidParameter.PolicyGrammar");
    EXPECT_EQ(answer.message(), "The parameter Policy has not passed grammar check.");
}

TEST_F(AssumeRole, NamesWhatIsWrong) {
    EXPECT_EQ(assume("operator").code(), "InvalidParameter.RoleArn");
    EXPECT_EQ(assume(operator_arn, admin_key, {{"DurationSeconds", "899"}}).code(), "InvalidParameter.DurationSeconds");
    EXPECT_EQ(assume(operator_arn, admin_key, {{"DurationSeconds", "3601"}}).code(), "InvalidParameter.DurationSeconds") << "over the role's own maximum";
    EXPECT_EQ(assume(operator_arn, admin_key, {{"DurationSeconds", "soon"}}).code(), "InvalidParameter.DurationSeconds");
    EXPECT_EQ(assume(operator_arn, admin_key, {{"ExternalId", "x"}}).code(), "InvalidParameter.ExternalId");
    EXPECT_EQ(assume(operator_arn, admin_key, {{"Policy", std::string(2049, 'x')}}).code(), "InvalidParameter.PolicySize");
    EXPECT_EQ(sandbox.call("AssumeRole", {{"RoleArn", operator_arn}}, {.version = "2015-04-01"}).code(), "MissingRoleSessionName");
    EXPECT_EQ(sandbox.call("AssumeRole", {{"RoleArn", operator_arn}, {"RoleSessionName", "a b"}}, {.version = "2015-04-01"}).code(), "InvalidParameter.RoleSessionName");
}

TEST_F(AssumeRole, TokensAreCheckedBeforeTheSignature) {
    auto session = key_of(assume(operator_arn, admin_key, {{"DurationSeconds", "900"}}));
    const How how{.key = session, .version = "2015-04-01"};
    auto without = how;
    without.key.token.clear();
    EXPECT_EQ(sandbox.call("GetCallerIdentity", {}, without).code(), "MissingSecurityToken");
    auto malformed = how;
    malformed.key.token[20] = malformed.key.token[20] == 'A' ? 'B' : 'A';
    EXPECT_EQ(sandbox.call("GetCallerIdentity", {}, malformed).code(), "InvalidSecurityToken.Malformed");
    auto mismatched = how;
    mismatched.key.id += "x";
    EXPECT_EQ(sandbox.call("GetCallerIdentity", {}, mismatched).code(), "InvalidSecurityToken.MismatchWithAccessKey");
    auto plain = how;
    plain.key = {admin_key.id, admin_key.secret, session.token};
    EXPECT_EQ(sandbox.call("GetCallerIdentity", {}, plain).code(), "InvalidSecurityToken.MismatchWithAccessKey");
    sandbox.clock().advance_ms(901 * base::second_ms);
    EXPECT_EQ(sandbox.call("GetCallerIdentity", {}, how).code(), "InvalidSecurityToken.Expired");
}

TEST(RoleArn, IsReadStrictly) {
    using operations::sts::parse_role_arn;
    EXPECT_EQ(parse_role_arn("acs:ram::1000000000000001:role/a-b.C")->role_name, "a-b.C");
    for (const auto* bad : {"", "acs:ram::1:role/x", "acs:ram::1000000000000001:role/", "acs:ram::1000000000000001:user/x", "acs:ram::100000000000000x:role/x",
                            "acs:ram::1000000000000001:role/a b", "acs:ram:*:1000000000000001:role/x", "acs:ram::1000000000000001:role/a/b"})
        EXPECT_FALSE(parse_role_arn(bad)) << bad;
}

}  // namespace
}  // namespace openrd::tests
