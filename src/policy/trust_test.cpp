#include "policy/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace openrd::policy {
namespace {

using enum Decision::Effect;
using testing::ElementsAre;

constexpr PrincipalFacts root{PrincipalFacts::Kind::root, "1", "", ""};
constexpr PrincipalFacts alice{PrincipalFacts::Kind::user, "1", "alice", ""};
constexpr PrincipalFacts session{PrincipalFacts::Kind::role_session, "1", "Operator", "alice"};
constexpr PrincipalFacts service{PrincipalFacts::Kind::service, "", "resourcemanager.aliyuncs.com", ""};
constexpr PrincipalFacts stranger{PrincipalFacts::Kind::user, "2", "alice", ""};

Document parsed(const std::string& text, Kind kind) {
    auto document = Document::parse(text, kind);
    if (!document) throw std::runtime_error(document.error());
    return *std::move(document);
}
std::string trust_statement(std::string_view effect, std::string_view principal, std::string_view action = "sts:AssumeRole") {
    return R"({"Effect":")" + std::string(effect) + R"(","Action":")" + std::string(action) + R"(","Principal":)" + std::string(principal) + "}";
}
Document trust(const std::string& statements) { return parsed(R"({"Version":"1","Statement":[)" + statements + "]}", Kind::trust); }
Document trusting(std::string_view ram_principal) { return trust(trust_statement("Allow", R"({"RAM":[")" + std::string(ram_principal) + R"("]})")); }
bool lets(const Document& document, const PrincipalFacts& who) { return trusts(&document, who).allowed(); }

TEST(Trust, InAnAccountIsInEveryIdentityOfIt) {
    const auto t = trusting("acs:ram::1:root");
    EXPECT_TRUE(lets(t, root));
    EXPECT_TRUE(lets(t, alice));
    EXPECT_TRUE(lets(t, session));
    EXPECT_FALSE(lets(t, stranger));
    EXPECT_FALSE(lets(t, service));
    const auto decision = trusts(&t, stranger);
    EXPECT_EQ(decision.effect, implicit_deny);
    EXPECT_EQ(decision.policy_type, "AssumeRolePolicy");
}

TEST(Trust, InAUserIsInThatUserOnly) {
    const auto t = trusting("acs:ram::1:user/alice");
    EXPECT_TRUE(lets(t, alice));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::user, "1", "bob", ""}));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::user, "1", "Alice", ""}));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::user, "1", "", ""}));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::role_session, "1", "alice", "alice"}));
    EXPECT_FALSE(lets(t, stranger));
    EXPECT_FALSE(lets(t, root));
}

TEST(Trust, InARoleIsInEverySessionOfItWhateverTheCaseOfItsName) {
    for (const char* arn : {"acs:ram::1:role/Operator", "acs:ram::1:role/operator", "acs:ram::1:role/OPERATOR"}) {
        const auto t = trusting(arn);
        EXPECT_TRUE(lets(t, session)) << arn;
        EXPECT_TRUE(lets(t, {PrincipalFacts::Kind::role_session, "1", "operator", "bob"})) << arn;
        EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::role_session, "2", "Operator", "alice"})) << arn;
        EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::role_session, "1", "Operator2", "alice"})) << arn;
        EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::user, "1", "Operator", ""})) << arn;
    }
}

TEST(Trust, InASessionIsInThatSessionOnly) {
    const auto t = trusting("acs:ram::1:assumed-role/operator/alice");
    EXPECT_TRUE(lets(t, session));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::role_session, "1", "Operator", "Alice"})) << "session names are what they are";
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::role_session, "1", "Operator", "bob"}));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::role_session, "1", "Other", "alice"}));
    EXPECT_FALSE(lets(t, alice));
}

TEST(Trust, InAServiceIsInNobodyElse) {
    const auto t = trust(trust_statement("Allow", R"({"Service":["resourcemanager.aliyuncs.com"]})"));
    EXPECT_TRUE(lets(t, service));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::service, "", "actiontrail.aliyuncs.com", ""}));
    EXPECT_FALSE(lets(t, alice));
    EXPECT_FALSE(lets(t, {PrincipalFacts::Kind::user, "1", "resourcemanager.aliyuncs.com", ""}));
}

TEST(Trust, InAProviderIsInNobodyYet) {
    const auto t = trust(trust_statement("Allow", R"({"Federated":["acs:ram::1:saml-provider/alice"]})"));
    for (const auto& who : {root, alice, session, service}) EXPECT_FALSE(lets(t, who));
}

TEST(Trust, IsTakenBackByADeny) {
    const auto t =
        trust(trust_statement("Allow", R"({"RAM":["acs:ram::1:root"]})") + "," + trust_statement("Deny", R"({"RAM":["acs:ram::1:user/alice","acs:ram::1:role/OPERATOR"]})"));
    EXPECT_TRUE(lets(t, {PrincipalFacts::Kind::user, "1", "bob", ""}));
    for (const auto& who : {alice, session}) {
        const auto decision = trusts(&t, who);
        EXPECT_EQ(decision.effect, explicit_deny);
        EXPECT_THAT(decision.statements, ElementsAre(&t.statements()[1]));
    }
}

TEST(Trust, IsForAssumingRoles) {
    const std::string everybody = R"({"RAM":["acs:ram::1:root"]})";
    EXPECT_TRUE(lets(trust(trust_statement("Allow", everybody, "*")), alice));
    EXPECT_TRUE(lets(trust(trust_statement("Allow", everybody, "STS:assumerole")), alice));
    EXPECT_FALSE(lets(trust(trust_statement("Allow", everybody, "sts:AssumeRoleWithSAML")), alice));
    EXPECT_FALSE(lets(trust(trust_statement("Allow", everybody, "ram:*")), alice));
}

TEST(Trust, FailsClosedOnWhatIsOdd) {
    EXPECT_EQ(trusts(nullptr, alice).effect, implicit_deny);
    const auto identity = parsed(R"({"Version":"1","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})", Kind::identity);
    EXPECT_EQ(trusts(&identity, alice).effect, implicit_deny) << "a document of another kind";
    EXPECT_FALSE(lets(trusting("acs:ram::1:root"), {PrincipalFacts::Kind::user, "", "alice", ""}));
}

class AssumeRole : public testing::Test {
  protected:
    Decision ask(const std::string& own, const std::string& theirs, const Document* session_document = nullptr) {
        own_ = parsed(own, Kind::identity);
        theirs_ = parsed(theirs, Kind::trust);
        const Document* const documents[] = {&own_};
        const Resource role("acs:ram:*:2:role/ResourceDirectoryAccountAccessRole");
        return decide_assume_role(documents, session_document, &theirs_, alice, {"sts:AssumeRole", {&role, 1}});
    }
    static std::string own(std::string_view effect, std::string_view resource = "*") {
        return R"({"Version":"1","Statement":{"Effect":")" + std::string(effect) + R"(","Action":"sts:AssumeRole","Resource":")" + std::string(resource) + R"("}})";
    }
    static std::string theirs(std::string_view effect, std::string_view account = "1") {
        return R"({"Version":"1","Statement":[)" + trust_statement(effect, R"({"RAM":["acs:ram::)" + std::string(account) + R"(:root"]})") + "]}";
    }
    Document own_ = parsed(own("Deny"), Kind::identity), theirs_ = parsed(theirs("Deny"), Kind::trust);
};

TEST_F(AssumeRole, NeedsBothSides) {
    EXPECT_TRUE(ask(own("Allow"), theirs("Allow")).allowed());
    EXPECT_TRUE(ask(own("Allow", "acs:ram::2:role/resourcedirectoryaccountaccessrole"), theirs("Allow")).allowed());
    const auto not_trusted = ask(own("Allow"), theirs("Allow", "3"));
    EXPECT_EQ(not_trusted.effect, implicit_deny);
    EXPECT_EQ(not_trusted.policy_type, "AssumeRolePolicy");
    const auto not_permitted = ask(own("Allow", "acs:ram:*:3:role/*"), theirs("Allow"));
    EXPECT_EQ(not_permitted.effect, implicit_deny);
    EXPECT_EQ(not_permitted.policy_type, "AccountLevelIdentityBasedPolicy");
}

TEST_F(AssumeRole, IsDeniedByEitherSide) {
    EXPECT_EQ(ask(own("Deny"), theirs("Allow")).effect, explicit_deny);
    EXPECT_EQ(ask(own("Allow"), theirs("Deny")).effect, explicit_deny);
    EXPECT_EQ(ask(own("Allow", "acs:ram:*:3:role/*"), theirs("Deny")).effect, explicit_deny) << "explicit although the own side only lacks a grant";
}

TEST_F(AssumeRole, IsCutByTheSessionPolicy) {
    const auto cut = parsed(R"({"Version":"1","Statement":{"Effect":"Allow","Action":"ram:*","Resource":"*"}})", Kind::identity);
    const auto decision = ask(own("Allow"), theirs("Allow"), &cut);
    EXPECT_EQ(decision.effect, implicit_deny);
    EXPECT_EQ(decision.policy_type, "SessionPolicy");
}

TEST_F(AssumeRole, FailsClosedWithoutATrustPolicy) {
    const auto permit = parsed(own("Allow"), Kind::identity);
    const Document* const documents[] = {&permit};
    const Resource role("acs:ram:*:2:role/r");
    EXPECT_EQ(decide_assume_role(documents, nullptr, nullptr, alice, {"sts:AssumeRole", {&role, 1}}).effect, implicit_deny);
}

}  // namespace
}  // namespace openrd::policy
