#include "policy/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace openrd::policy {

std::ostream& operator<<(std::ostream& out, Decision::Effect effect) {
    return out << (effect == Decision::Effect::allow ? "allow" : effect == Decision::Effect::explicit_deny ? "explicit deny" : "implicit deny");
}

namespace {

using enum Decision::Effect;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view team_blue = "acs:resourcemanager:*:1000000000000001:account/rd-sandbx/r-sandbx/1000000000000002";
constexpr std::string_view team_red = "acs:resourcemanager:*:1000000000000001:account/rd-sandbx/r-sandbx/fd-sandboxwrk/1000000000000003";

Document document(std::string_view statements, Kind kind = Kind::identity) {
    auto parsed = Document::parse(R"({"Version":"1","Statement":[)" + std::string(statements) + "]}", kind);
    if (!parsed) throw std::runtime_error(parsed.error());
    return *std::move(parsed);
}
std::string statement(std::string_view effect, std::string_view action, std::string_view resource) {
    return R"({"Effect":")" + std::string(effect) + R"(","Action":")" + std::string(action) + R"(","Resource":")" + std::string(resource) + R"("})";
}
std::string allowing(std::string_view action, std::string_view resource = "*") { return statement("Allow", action, resource); }
std::string denying(std::string_view action, std::string_view resource = "*") { return statement("Deny", action, resource); }

Decision ask(const std::vector<const Document*>& documents, std::string_view action, std::string_view arn, const Document* session = nullptr) {
    const Resource resource{std::string(arn)};
    return decide(documents, session, {action, {&resource, 1}});
}
Decision::Effect effect(std::string_view statements, std::string_view action, std::string_view arn) {
    const auto d = document(statements);
    return ask({&d}, action, arn).effect;
}

TEST(Decide, AllowsWhatAStatementAllows) {
    const auto d = document(allowing("ecs:*") + "," + allowing("resourcemanager:GetAccount"));
    const auto decision = ask({&d}, "resourcemanager:GetAccount", team_blue);
    EXPECT_TRUE(decision.allowed());
    EXPECT_THAT(decision.statements, ElementsAre(&d.statements()[1]));
    EXPECT_EQ(decision.no_permission_type(), "");
}

TEST(Decide, DeniesImplicitlyWhatNobodyMentions) {
    const auto d = document(allowing("ecs:*"));
    const auto decision = ask({&d}, "resourcemanager:GetAccount", team_blue);
    EXPECT_EQ(decision.effect, implicit_deny);
    EXPECT_THAT(decision.statements, IsEmpty());
    EXPECT_EQ(decision.policy_type, "AccountLevelIdentityBasedPolicy");
    EXPECT_EQ(decision.no_permission_type(), "ImplicitDeny");
    EXPECT_EQ(ask({}, "resourcemanager:GetAccount", team_blue).effect, implicit_deny) << "an identity without policies";
}

TEST(Decide, LetsADenyWinWhereverItStands) {
    const auto all = document(allowing("*")), no_get = document(denying("resourcemanager:Get*") + "," + allowing("*") + "," + denying("*:GetAccount"));
    for (const auto& documents : {std::vector{&all, &no_get}, std::vector{&no_get, &all}}) {
        const auto decision = ask(documents, "resourcemanager:GetAccount", team_blue);
        EXPECT_EQ(decision.effect, explicit_deny);
        EXPECT_THAT(decision.statements, ElementsAre(&no_get.statements()[0], &no_get.statements()[2]));
        EXPECT_EQ(decision.no_permission_type(), "ExplicitDeny");
    }
    EXPECT_TRUE(ask({&all, &no_get}, "resourcemanager:MoveAccount", team_blue).allowed());
}

TEST(Decide, ComparesActionsWithoutRegardToCase) {
    for (const char* action : {"resourcemanager:getaccount", "ResourceManager:GETACCOUNT", "resourcemanager:G*T?CCOUNT", "RESOURCEMANAGER:*"})
        EXPECT_EQ(effect(allowing(action), "resourcemanager:GetAccount", team_blue), allow) << action;
    for (const char* action : {"resourcemanager:GetAccounts", "resourcemanager:GetAccoun", "resourcemanager:Get", "resourcemanager:?etAccoun?t", "ram:*"})
        EXPECT_EQ(effect(allowing(action), "resourcemanager:GetAccount", team_blue), implicit_deny) << action;
}

TEST(Decide, ComparesResourcesWithRegardToCase) {
    const std::string_view arn = "acs:resourcemanager:*:1:folder/rd-1/r-1/fd-AbC";
    EXPECT_EQ(effect(allowing("*", "acs:resourcemanager:*:1:folder/rd-1/r-1/fd-AbC"), "resourcemanager:GetFolder", arn), allow);
    EXPECT_EQ(effect(allowing("*", "acs:resourcemanager:*:1:folder/rd-1/r-1/fd-abc"), "resourcemanager:GetFolder", arn), implicit_deny);
}

TEST(Decide, LetsAStarReachAcrossSlashes) {
    const std::string root = "acs:resourcemanager:*:1000000000000001:account/rd-sandbx/r-sandbx/*";
    EXPECT_EQ(effect(allowing("*", root), "resourcemanager:GetAccount", team_blue), allow);
    EXPECT_EQ(effect(allowing("*", root), "resourcemanager:GetAccount", team_red), allow);
    const std::string workloads = "acs:resourcemanager:*:1000000000000001:account/rd-sandbx/r-sandbx/fd-sandboxwrk/*";
    EXPECT_EQ(effect(allowing("*", workloads), "resourcemanager:GetAccount", team_blue), implicit_deny);
    EXPECT_EQ(effect(allowing("*", workloads), "resourcemanager:GetAccount", team_red), allow);
    EXPECT_EQ(effect(allowing("*") + "," + denying("*", workloads), "resourcemanager:GetAccount", team_red), explicit_deny);
    EXPECT_EQ(effect(allowing("*") + "," + denying("*", workloads), "resourcemanager:GetAccount", team_blue), allow);
}

TEST(Decide, AsksForAllAccountsWhereTheAccountIsNoMember) {
    // decisions.md D.3: the literal account/* is what only a grant on all accounts matches.
    const std::string_view unknown = "acs:resourcemanager:*:1000000000000001:account/*";
    EXPECT_EQ(effect(allowing("*", unknown), "resourcemanager:BindSecureMobilePhone", unknown), allow);
    EXPECT_EQ(effect(allowing("*", "acs:resourcemanager:*:1000000000000001:*"), "resourcemanager:BindSecureMobilePhone", unknown), allow);
    EXPECT_EQ(effect(allowing("*", team_blue), "resourcemanager:BindSecureMobilePhone", unknown), implicit_deny);
    EXPECT_EQ(effect(allowing("*", "acs:resourcemanager:*:1000000000000001:account/rd-sandbx/*"), "resourcemanager:BindSecureMobilePhone", unknown), implicit_deny);
}

TEST(Decide, TakesNothingToNameForEverything) {
    EXPECT_EQ(effect(allowing("resourcemanager:*"), "resourcemanager:GetResourceDirectory", "*"), allow);
    EXPECT_EQ(effect(allowing("resourcemanager:*", "acs:resourcemanager:*:*:*"), "resourcemanager:GetResourceDirectory", "*"), implicit_deny);
}

TEST(Decide, UnderstandsNotAction) {
    const std::string not_ram = R"({"Effect":"Allow","NotAction":["ram:*","sts:*"],"Resource":"*"})";
    EXPECT_EQ(effect(not_ram, "resourcemanager:GetAccount", team_blue), allow);
    EXPECT_EQ(effect(not_ram, "ram:GetUser", "*"), implicit_deny);
    EXPECT_EQ(effect(not_ram, "STS:AssumeRole", "*"), implicit_deny);
    const std::string only_get = allowing("*") + R"(,{"Effect":"Deny","NotAction":"resourcemanager:Get*","Resource":"*"})";
    EXPECT_EQ(effect(only_get, "resourcemanager:GetAccount", team_blue), allow);
    EXPECT_EQ(effect(only_get, "resourcemanager:MoveAccount", team_blue), explicit_deny);
    EXPECT_EQ(effect(R"({"Effect":"Allow","NotAction":"*","Resource":"*"})", "ram:GetUser", "*"), implicit_deny) << "all but everything is nothing";
}

TEST(Decide, UnderstandsNotResource) {
    const std::string but_blue = R"({"Effect":"Allow","Action":"*","NotResource":[")" + std::string(team_blue) + R"("]})";
    EXPECT_EQ(effect(but_blue, "resourcemanager:GetAccount", team_blue), implicit_deny);
    EXPECT_EQ(effect(but_blue, "resourcemanager:GetAccount", team_red), allow);
    const std::string only_blue = allowing("*") + R"(,{"Effect":"Deny","Action":"*","NotResource":")" + std::string(team_blue) + R"("})";
    EXPECT_EQ(effect(only_blue, "resourcemanager:GetAccount", team_blue), allow);
    EXPECT_EQ(effect(only_blue, "resourcemanager:GetAccount", team_red), explicit_deny);
    EXPECT_EQ(effect(R"({"Effect":"Allow","Action":"*","NotResource":"*"})", "ram:GetUser", "*"), implicit_deny);
    EXPECT_EQ(effect(R"({"Effect":"Allow","Action":"*","NotResource":["acs:ram:*:1:user/a","*"]})", "ram:GetUser", "acs:ram:*:1:user/b"), implicit_deny);
    EXPECT_EQ(effect(R"({"Effect":"Allow","NotAction":"ram:*","NotResource":"acs:oss:*:*:*"})", "ecs:RunInstances", "acs:ecs:*:1:instance/*"), allow);
}

TEST(Decide, ComparesRoleNamesWithoutRegardToCase) {
    const std::string_view arn = "acs:ram:*:1000000000000002:role/ResourceDirectoryAccountAccessRole";
    for (const char* resource : {"acs:ram:*:1000000000000002:role/resourcedirectoryaccountaccessrole", "acs:ram:*:*:role/RESOURCEDIRECTORY*",
                                 "acs:ram::1000000000000002:role/resourcedirectoryaccountaccessrol?", "acs:ram:*:1000000000000002:role/*role", "acs:ram:*:1000000000000002:*"})
        EXPECT_EQ(effect(allowing("sts:AssumeRole", resource), "sts:AssumeRole", arn), allow) << resource;
    for (const char* resource : {"acs:RAM:*:1000000000000002:role/ResourceDirectoryAccountAccessRole", "acs:ram:*:1000000000000002:ROLE/ResourceDirectoryAccountAccessRole",
                                 "acs:ram:*:1000000000000003:role/ResourceDirectoryAccountAccessRole"})
        EXPECT_EQ(effect(allowing("sts:AssumeRole", resource), "sts:AssumeRole", arn), implicit_deny) << resource;
    EXPECT_EQ(effect(allowing("*") + "," + denying("*", "acs:ram:*:*:role/resourcedirectoryaccountaccessrole"), "sts:AssumeRole", arn), explicit_deny);
    EXPECT_EQ(effect(allowing("*", "acs:ram:*:1:user/Alice"), "ram:GetUser", "acs:ram:*:1:user/alice"), implicit_deny) << "of roles only";
    EXPECT_EQ(effect(allowing("*", "acs:oss:*:1:role/A"), "oss:Get", "acs:oss:*:1:role/a"), implicit_deny) << "of RAM's roles only";
}

TEST(Decide, MakesAnArnOnlyWhenAStatementAsksForIt) {
    int made = 0;
    const auto ask_lazily = [&](std::string_view statements, std::string_view action) {
        const auto d = document(statements);
        const Resource resource([&made] {
            ++made;
            return std::string(team_blue);
        });
        const Document* const documents[] = {&d, &d};
        return decide(documents, nullptr, {action, {&resource, 1}}).effect;
    };
    EXPECT_EQ(ask_lazily(allowing("resourcemanager:*"), "resourcemanager:GetAccount"), allow);
    EXPECT_EQ(ask_lazily(allowing("ecs:*", "acs:ecs:*:*:*"), "resourcemanager:GetAccount"), implicit_deny);
    EXPECT_EQ(ask_lazily(R"({"Effect":"Allow","Action":"*","NotResource":"*"})", "resourcemanager:GetAccount"), implicit_deny);
    EXPECT_EQ(made, 0);
    EXPECT_EQ(ask_lazily(allowing("*", team_blue), "resourcemanager:GetAccount"), allow);
    EXPECT_EQ(made, 1) << "made once, however often it is needed";
}

TEST(Decide, AsksForEachResourceOfAnOperation) {
    const std::string_view folder = "acs:resourcemanager:*:1000000000000001:folder/rd-sandbx/r-sandbx/fd-sandboxwrk";
    const Resource both[] = {Resource(std::string(team_blue)), Resource(std::string(folder))};
    const auto move = [&](std::string_view statements) {
        const auto d = document(statements);
        const Document* const documents[] = {&d};
        return decide(documents, nullptr, {"resourcemanager:MoveAccount", both});
    };
    EXPECT_TRUE(move(allowing("*", team_blue) + "," + allowing("*", folder)).allowed());
    EXPECT_EQ(move(allowing("*", team_blue) + "," + allowing("*", folder)).statements.size(), 2u);
    EXPECT_EQ(move(allowing("*", team_blue)).effect, implicit_deny);
    EXPECT_EQ(move(allowing("*", folder)).effect, implicit_deny);
    EXPECT_THAT(move(allowing("*", folder)).statements, IsEmpty());
    EXPECT_EQ(move(allowing("*", team_blue) + "," + denying("*", folder)).effect, explicit_deny);
    EXPECT_EQ(move(denying("*", folder)).effect, explicit_deny) << "although the other resource is denied implicitly";
    EXPECT_EQ(move(allowing("*") + "," + denying("*", team_blue)).effect, explicit_deny);
}

TEST(SessionPolicy, CutsWhatTheRoleMay) {
    const auto role = document(allowing("resourcemanager:*")),
               session = document(allowing("resourcemanager:Get*") + "," + denying("resourcemanager:GetHandshake") + "," + allowing("ecs:*"));
    EXPECT_TRUE(ask({&role}, "resourcemanager:GetAccount", team_blue, &session).allowed());
    const auto cut = ask({&role}, "resourcemanager:MoveAccount", team_blue, &session);
    EXPECT_EQ(cut.effect, implicit_deny);
    EXPECT_EQ(cut.policy_type, "SessionPolicy");
    const auto denied = ask({&role}, "resourcemanager:GetHandshake", team_blue, &session);
    EXPECT_EQ(denied.effect, explicit_deny);
    EXPECT_EQ(denied.policy_type, "SessionPolicy");
    EXPECT_THAT(denied.statements, ElementsAre(&session.statements()[1]));
}

TEST(SessionPolicy, GrantsNothing) {
    const auto role = document(allowing("resourcemanager:*")), session = document(allowing("*"));
    const auto decision = ask({&role}, "ecs:RunInstances", "*", &session);
    EXPECT_EQ(decision.effect, implicit_deny);
    EXPECT_EQ(decision.policy_type, "AccountLevelIdentityBasedPolicy");
    EXPECT_EQ(ask({}, "ecs:RunInstances", "*", &session).effect, implicit_deny);
}

TEST(Decide, FailsClosedOnWhatIsOdd) {
    const auto all = document(allowing("*")), no_account = document(denying("*", team_blue) + "," + allowing("*", "acs:*:*:*:*"));
    const auto trust = Document::parse(R"({"Version":"1","Statement":{"Effect":"Allow","Action":"*","Principal":{"RAM":["acs:ram::1:root"]}}})", Kind::trust).value();
    EXPECT_EQ(ask({&all, nullptr}, "ram:GetUser", "*").effect, implicit_deny) << "a document that could not be read";
    EXPECT_EQ(ask({&all, &trust}, "ram:GetUser", "*").effect, implicit_deny) << "a document of another kind";
    EXPECT_EQ(ask({&all}, "ram:GetUser", "*", &trust).effect, implicit_deny);
    for (const char* action : {"", "GetUser", ":", "ram:", ":GetUser"}) EXPECT_EQ(ask({&all}, action, "*").effect, implicit_deny) << action;
    EXPECT_EQ(decide(std::vector{&all}, nullptr, {"ram:GetUser", {}}).effect, implicit_deny) << "no resource at all";
    for (const char* arn : {"", "account/1", "acs:ram", "arn:aws:s3:::bucket", "**"}) EXPECT_EQ(ask({&no_account}, "ram:GetUser", arn).effect, explicit_deny) << arn;
    const auto named = document(allowing("*", "acs:*:*:*:*") + R"(,{"Effect":"Allow","Action":"*","NotResource":"acs:oss:*:*:*"})");
    EXPECT_EQ(ask({&named}, "ram:GetUser", "nonsense").effect, implicit_deny);
    const Resource nothing{std::function<std::string()>()};
    EXPECT_EQ(decide(std::vector{&named}, nullptr, {"ram:GetUser", {&nothing, 1}}).effect, implicit_deny);
}

TEST(Decide, PassesOnThatAResourceCannotBeFound) {
    const auto d = document(allowing("*", team_blue));
    const Document* const documents[] = {&d};
    const Resource resource([]() -> std::string { throw std::runtime_error("the database is gone"); });
    EXPECT_THROW((void)decide(documents, nullptr, {"resourcemanager:GetAccount", {&resource, 1}}), std::runtime_error);
}

TEST(Evaluate, TakesControlPoliciesToo) {
    const auto guard = document(allowing("*") + "," + denying("resourcemanager:*"), Kind::control);
    const Resource everything("*");
    const Document* const documents[] = {&guard};
    EXPECT_EQ(evaluate(documents, {"resourcemanager:GetAccount", {&everything, 1}}).effect, explicit_deny);
    EXPECT_EQ(evaluate(documents, {"ram:GetUser", {&everything, 1}}).effect, allow);
}

}  // namespace
}  // namespace openrd::policy
