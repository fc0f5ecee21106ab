#include "policy/document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace openrd::policy {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Document document(std::string_view json, Kind kind = Kind::identity) {
    auto parsed = Document::parse(json, kind);
    if (!parsed) throw std::runtime_error(parsed.error());
    return *std::move(parsed);
}
std::string why_refused(std::string_view json, Kind kind = Kind::identity) {
    const auto parsed = Document::parse(json, kind);
    return parsed ? "(taken)" : parsed.error();
}
std::string with_statement(std::string_view statement) { return R"({"Version":"1","Statement":[)" + std::string(statement) + "]}"; }
std::string with_action(std::string_view action) { return with_statement(R"({"Effect":"Allow","Action":)" + std::string(action) + R"(,"Resource":"*"})"); }
std::string with_resource(std::string_view resource) { return with_statement(R"({"Effect":"Allow","Action":"*","Resource":)" + std::string(resource) + "}"); }
std::string with_principal(std::string_view principal) { return with_statement(R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":)" + std::string(principal) + "}"); }
std::vector<std::string> texts(const std::vector<Pattern>& patterns) {
    std::vector<std::string> out;
    out.reserve(patterns.size());
    for (const auto& pattern : patterns) out.emplace_back(pattern.text());
    return out;
}

TEST(Document, IsReadStatementByStatement) {
    const auto d = document(R"({
        "Statement": [
            {"Effect": "Allow", "Action": ["resourcemanager:Get*", "ecs:Describe?"], "Resource": "acs:resourcemanager:*:1:account/*"},
            {"Resource": ["acs:ram:*:1:role/a", "*"], "NotAction": "ram:*", "Effect": "Deny"},
            {"Effect": "Deny", "Action": "*", "NotResource": ["acs:oss:*:*:bucket", "acs:oss:*:*:bucket/*"]}
        ],
        "Version": "1"
    })");
    ASSERT_EQ(d.statements().size(), 3u);
    const auto &first = d.statements()[0], &second = d.statements()[1], &third = d.statements()[2];
    EXPECT_EQ(first.effect, Effect::allow);
    EXPECT_FALSE(first.not_actions || first.not_resources);
    EXPECT_THAT(texts(first.actions), ElementsAre("resourcemanager:get*", "ecs:describe?"));
    EXPECT_THAT(texts(first.resources), ElementsAre("acs:resourcemanager:*:1:account/*"));
    EXPECT_EQ(second.effect, Effect::deny);
    EXPECT_TRUE(second.not_actions);
    EXPECT_FALSE(second.not_resources);
    EXPECT_THAT(texts(second.actions), ElementsAre("ram:*"));
    EXPECT_THAT(texts(second.resources), ElementsAre("acs:ram:*:1:role/a", "*"));
    EXPECT_FALSE(third.not_actions);
    EXPECT_TRUE(third.not_resources);
    EXPECT_TRUE(first.principals.empty());
    EXPECT_EQ(d.kind(), Kind::identity);
}

TEST(Document, MayHaveOneStatementInsteadOfAList) { EXPECT_EQ(document(R"({"Version":"1","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})").statements().size(), 1u); }

TEST(Document, KnowsItsStatementsAlsoAfterAMove) {
    auto d = document(with_action(R"("*")"));
    const auto other = document(with_action(R"("*")"));
    const auto* const statement = &d.statements().front();
    const auto moved = std::move(d);
    EXPECT_TRUE(moved.holds(statement));
    EXPECT_FALSE(other.holds(statement));
    EXPECT_FALSE(other.holds(nullptr));
}

TEST(Document, TakesTheActionsOfTheLanguage) {
    for (const char* action : {R"("*")", R"("resourcemanager:*")", R"("resourcemanager:GetAccount")", R"("*:*")", R"("ecs:Describe*")", R"("e?s:*")",
                               R"("actiontrail:Lookup-Events_2.0")", R"(["ram:Get*"])", R"(["ram:Get*","ram:List*"])"})
        EXPECT_EQ(why_refused(with_action(action)), "(taken)") << action;
}

TEST(Document, RefusesMalformedActions) {
    for (const char* action : {R"("")",
                               R"("GetAccount")",
                               R"("resourcemanager")",
                               R"("resourcemanager*")",
                               R"(":GetAccount")",
                               R"("resourcemanager:")",
                               R"(":")",
                               R"("ram:Get Account")",
                               R"(" *")",
                               R"("ram:\u0000")",
                               R"("ram:G\u00e9t")",
                               R"("ram:Get\n")",
                               R"(["ram:Get*",""])",
                               R"([])",
                               R"([["ram:*"]])",
                               R"([1])",
                               R"(1)",
                               R"(null)",
                               R"(true)",
                               R"({})",
                               R"({"ram":"*"})",
                               R"(["ram:*",null])"})
        EXPECT_NE(why_refused(with_action(action)), "(taken)") << action;
    EXPECT_NE(why_refused(with_action("\"ram:" + std::string(pattern_bytes, 'x') + "\"")), "(taken)");
}

TEST(Document, TakesTheResourcesOfTheLanguage) {
    for (const char* resource : {R"("*")", R"("acs:resourcemanager:*:1000000000000001:account/rd-1/r-1/*")", R"("acs:*:*:*:*")", R"("acs:oss:*:*:bucket/a b/*")",
                                 R"("acs:ecs:cn-hangzhou:1:instance/i-?")", R"("acs:oss:*:*:\u6587\u4ef6")", R"(["*"])", R"(["acs:ram:*:1:user/a","acs:ram:*:1:user/b"])",
                                 R"("acs:log:cn:1:project/a:b")"})
        EXPECT_EQ(why_refused(with_resource(resource)), "(taken)") << resource;
}

TEST(Document, RefusesMalformedResources) {
    for (const char* resource : {R"("")", R"("acs:")", R"("acs:ram")", R"("acs:ram:*:1")", R"("arn:aws:s3:::bucket")", R"("account/1")", R"("ACS:ram:*:1:role/a")", R"("*a")",
                                 R"("acs*")", R"("acs:ram:*:1:role/\u0000")", R"("acs:ram:*:1:role/a\n")", R"([])", R"(1)", R"(null)", R"({})", R"(["*",1])"})
        EXPECT_NE(why_refused(with_resource(resource)), "(taken)") << resource;
}

TEST(Document, TakesAnEmptyRegionOfRamForAnyRegion) {
    EXPECT_THAT(texts(document(with_resource(R"("acs:ram::1:role/a")")).statements()[0].resources), ElementsAre("acs:ram:*:1:role/a"));
    EXPECT_THAT(texts(document(with_resource(R"("acs:oss::1:bucket")")).statements()[0].resources), ElementsAre("acs:oss::1:bucket"));
}

TEST(Document, RefusesWhatItDoesNotUnderstand) {
    const std::string allow_all = R"("Effect":"Allow","Action":"*","Resource":"*")";
    EXPECT_THAT(why_refused(with_statement("{" + allow_all + R"(,"Sid":"x"})")), HasSubstr("unknown key 'Sid'"));
    EXPECT_THAT(why_refused(with_statement("{" + allow_all + R"(,"NotPrincipal":{"RAM":["*"]}})")), HasSubstr("unknown key 'NotPrincipal'"));
    EXPECT_THAT(why_refused(with_statement("{" + allow_all + R"(,"action":"*"})")), HasSubstr("unknown key 'action'"));
    EXPECT_THAT(why_refused(with_statement("{" + allow_all + R"(,"":"*"})")), HasSubstr("unknown key ''"));
    EXPECT_THAT(why_refused(R"({"Version":"1","Id":"x","Statement":[{)" + allow_all + "}]}"), HasSubstr("unknown key 'Id'"));
    EXPECT_THAT(why_refused(with_statement("{" + allow_all + R"(,"Principal":{"RAM":["acs:ram::1:root"]}})")), HasSubstr("trust policy only"));
    EXPECT_THAT(why_refused(with_statement("{" + allow_all + R"(,"Principal":{"RAM":["acs:ram::1:root"]}})"), Kind::control), HasSubstr("trust policy only"));
    EXPECT_EQ(why_refused(with_statement("{" + allow_all + R"(,"a\nb\u001b[31m)" + std::string(100, 'x') + R"(":1})")),
              "unknown key 'a?b?[31m" + std::string(52, 'x') + "...' in a statement")
        << "nothing that could forge a log line";
}

TEST(Document, NeverIgnoresACondition) {
    for (const char* condition : {"{}", "null", R"({"Bool":{"acs:SecureTransport":["true"]}})", R"({"StringEquals":{"ram:ServiceName":"x"}})"})
        for (const auto kind : {Kind::identity, Kind::control})
            EXPECT_EQ(why_refused(with_statement(R"({"Effect":"Allow","Action":"*","Resource":"*","Condition":)" + std::string(condition) + "}"), kind),
                      "Condition is not supported yet");
    EXPECT_EQ(why_refused(with_statement(R"({"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1:root"]},"Condition":{}})"), Kind::trust),
              "Condition is not supported yet");
}

TEST(Document, HasExactlyOneOfActionAndNotAction) {
    EXPECT_THAT(why_refused(with_statement(R"({"Effect":"Allow","Action":"*","NotAction":"*","Resource":"*"})")), HasSubstr("either Action or NotAction"));
    EXPECT_THAT(why_refused(with_statement(R"({"Effect":"Allow","Resource":"*"})")), HasSubstr("either Action or NotAction"));
    EXPECT_THAT(why_refused(with_statement(R"({"Effect":"Allow","Action":"*","Resource":"*","NotResource":"*"})")), HasSubstr("either Resource or NotResource"));
    EXPECT_THAT(why_refused(with_statement(R"({"Effect":"Allow","Action":"*"})")), HasSubstr("either Resource or NotResource"));
}

TEST(Document, HasAnEffectInTheWordsOfTheLanguage) {
    for (const char* effect : {R"("allow")", R"("ALLOW")", R"("")", R"("Permit")", "true", "null", R"(["Allow"])"})
        EXPECT_EQ(why_refused(with_statement(R"({"Effect":)" + std::string(effect) + R"(,"Action":"*","Resource":"*"})")), "Effect is neither Allow nor Deny") << effect;
    EXPECT_EQ(why_refused(with_statement(R"({"Action":"*","Resource":"*"})")), "Effect is neither Allow nor Deny");
}

TEST(Document, IsOfVersionOne) {
    const std::string rest = R"("Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})";
    for (const char* version : {R"("Version":"2",)", R"("Version":1,)", R"("Version":"",)", R"("Version":null,)", R"("version":"1",)", ""})
        EXPECT_NE(why_refused("{" + std::string(version) + rest), "(taken)") << version;
}

TEST(Document, HasStatements) {
    for (const char* statement : {"[]", "null", "\"*\"", "1", "[1]", "[null]", "[[]]", "{}", "[{}]"})
        EXPECT_NE(why_refused(R"({"Version":"1","Statement":)" + std::string(statement) + "}"), "(taken)") << statement;
    EXPECT_EQ(why_refused(R"({"Version":"1"})"), "it has no Statement");
}

TEST(Document, RefusesAKeyThatStandsTwice) {
    for (const char* text : {R"({"Version":"1","Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})",
                             R"({"Version":"1","Statement":[{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}]})",
                             R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"ram:Get*","Resource":"*","Act\u0069on":"*"}]})",
                             R"({"Version":"1","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}],"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})"})
        EXPECT_EQ(why_refused(text), "a key stands twice in one object") << text;
}

TEST(Document, RefusesWhatIsNoJson) {
    const std::string good = with_action(R"("*")");
    ASSERT_EQ(why_refused(good), "(taken)");
    for (const std::string& text : {std::string(), std::string(" "), std::string("policy"), std::string("[]"), std::string("null"), std::string("\"x\""), std::string("1"),
                                    good + "x", good + good, good + std::string(1, '\0'), good.substr(0, good.size() - 1), good.substr(1), "\xEF\xBB\xBF" + good, "/* x */" + good,
                                    with_action("\"ram:\xFF\""), with_action(R"("ram:\ud800")"), with_action("'*'"), with_action(R"(["*",])"), with_action("\"ram:\n\"")})
        EXPECT_NE(why_refused(text), "(taken)") << text;
    for (std::size_t size = 0; size < good.size(); ++size) EXPECT_NE(why_refused(good.substr(0, size)), "(taken)") << size;
}

TEST(Document, IsBounded) {
    EXPECT_THAT(why_refused(with_action(R"("*")") + std::string(document_bytes, ' ')), HasSubstr("longer than"));
    const std::string deep = with_action(std::string(10, '[') + std::string(10, ']'));
    EXPECT_THAT(why_refused(deep), HasSubstr("it is not JSON"));
    EXPECT_NE(why_refused(std::string(document_bytes, '[')), "(taken)");
    std::string keys;
    for (int i = 0; i < 100; ++i) keys += ",\"k" + std::to_string(i) + "\":1";
    EXPECT_NE(why_refused(with_statement("{\"Effect\":\"Allow\"" + keys + "}")), "(taken)");
}

TEST(Document, OfAControlPolicyIsAnIdentityPolicyWithoutPrincipal) {
    const auto d = document(with_statement(R"({"Effect":"Deny","NotAction":"ram:*","Resource":"*"})"), Kind::control);
    EXPECT_EQ(d.kind(), Kind::control);
    EXPECT_TRUE(d.statements()[0].not_actions);
}

TEST(TrustDocument, NamesItsPrincipals) {
    const auto d =
        document(with_principal(R"({"RAM":["acs:ram::1000000000000001:root","acs:ram::1:user/alice@corp.example","acs:ram::1:role/Operator-1","acs:ram::1:assumed-role/op/alice"],
        "Service":["resourcemanager.aliyuncs.com"],"Federated":["acs:ram::1:saml-provider/corp","acs:ram::1:oidc-provider/corp"]})"),
                 Kind::trust);
    const auto& p = d.statements()[0].principals;
    ASSERT_EQ(p.size(), 7u);
    EXPECT_EQ(p[0].kind, Principal::Kind::account);
    EXPECT_EQ(p[0].account_id, "1000000000000001");
    EXPECT_EQ(p[1].kind, Principal::Kind::user);
    EXPECT_EQ(p[1].name, "alice@corp.example");
    EXPECT_EQ(p[2].kind, Principal::Kind::role);
    EXPECT_EQ(p[2].name, "Operator-1");
    EXPECT_EQ(p[3].kind, Principal::Kind::role_session);
    EXPECT_EQ(p[3].name, "op");
    EXPECT_EQ(p[3].session_name, "alice");
    EXPECT_EQ(p[4].kind, Principal::Kind::service);
    EXPECT_EQ(p[4].name, "resourcemanager.aliyuncs.com");
    EXPECT_EQ(p[5].kind, Principal::Kind::federated);
    EXPECT_EQ(p[6].kind, Principal::Kind::federated);
    EXPECT_EQ(why_refused(with_principal(R"({"RAM":"acs:ram::1:root"})"), Kind::trust), "(taken)") << "one text instead of a list";
}

TEST(TrustDocument, RefusesPrincipalsThatAreMalformedOrTooWide) {
    for (const char* principal : {R"({})",
                                  R"([])",
                                  R"("*")",
                                  R"(null)",
                                  R"({"RAM":[]})",
                                  R"({"RAM":["*"]})",
                                  R"({"RAM":["acs:ram::*:root"]})",
                                  R"({"RAM":["acs:ram::1:*"]})",
                                  R"({"RAM":["acs:ram::1:user/*"]})",
                                  R"({"RAM":["acs:ram::1:role/op?"]})",
                                  R"({"RAM":["acs:ram:*:1:root"]})",
                                  R"({"RAM":["acs:ram:::root"]})",
                                  R"({"RAM":["acs:ram::1:Root"]})",
                                  R"({"RAM":["acs:ram::1:root/x"]})",
                                  R"({"RAM":["acs:ram::1"]})",
                                  R"({"RAM":["acs:ram::one:root"]})",
                                  R"({"RAM":["acs:ram::1:user/"]})",
                                  R"({"RAM":["acs:ram::1:user/a/b"]})",
                                  R"({"RAM":["acs:ram::1:group/a"]})",
                                  R"({"RAM":["acs:ram::1:assumed-role/op"]})",
                                  R"({"RAM":["acs:ram::1:assumed-role/op/"]})",
                                  R"({"RAM":["acs:ram::1:assumed-role/op/*"]})",
                                  R"({"RAM":["acs:ram::1:assumed-role/op/a/b"]})",
                                  R"({"RAM":["acs:ram::1:saml-provider/corp"]})",
                                  R"({"RAM":["1000000000000001"]})",
                                  R"({"RAM":[1]})",
                                  R"({"Service":["*"]})",
                                  R"({"Service":["*.aliyuncs.com"]})",
                                  R"({"Service":["service"]})",
                                  R"({"Service":[""]})",
                                  R"({"Service":["a.b c"]})",
                                  R"({"Federated":["acs:ram::1:root"]})",
                                  R"({"Federated":["acs:ram::1:saml-provider/"]})",
                                  R"({"Federated":["*"]})",
                                  R"({"AWS":["acs:ram::1:root"]})",
                                  R"({"ram":["acs:ram::1:root"]})",
                                  R"({"RAM":["acs:ram::1:root"],"Other":[]})"})
        EXPECT_NE(why_refused(with_principal(principal), Kind::trust), "(taken)") << principal;
}

TEST(TrustDocument, HasAPrincipalAndNoResource) {
    EXPECT_THAT(why_refused(with_statement(R"({"Effect":"Allow","Action":"sts:AssumeRole"})"), Kind::trust), HasSubstr("has a Principal"));
    EXPECT_THAT(why_refused(with_statement(R"({"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Principal":{"RAM":["acs:ram::1:root"]}})"), Kind::trust),
                HasSubstr("unknown key 'Resource'"));
}

}  // namespace
}  // namespace openrd::policy
