// Policy documents of any bytes: parsing never crashes, and what was taken decides by the rules of decide.hpp.
#include "require.hpp"

#include "policy/decide.hpp"
#include "policy/system_policies.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace policy = openrd::policy;
using openrd::fuzz::require;

namespace {

policy::Document fixed(std::string_view statement) {
    return policy::Document::parse(R"({"Version":"1","Statement":)" + std::string(statement) + "}", policy::Kind::identity).value();
}

void decide_with(const policy::Document& document) {
    static const policy::Document deny_all = fixed(R"({"Effect":"Deny","Action":"*","Resource":"*"})"), allow_all = fixed(R"({"Effect":"Allow","Action":"*","Resource":"*"})");
    const policy::Document *const alone[] = {&document}, *const twice[] = {&document, &document}, *const denied[] = {&document, &deny_all},
                                  *const granted[] = {&document, &allow_all};
    const auto has = [&](policy::Effect effect) { return std::ranges::any_of(document.statements(), [effect](const auto& s) { return s.effect == effect; }); };
    for (const std::string_view action : {"resourcemanager:GetAccount", "sts:AssumeRole", "ram:GetUser"})
        for (const std::string_view arn :
             {"*", "acs:resourcemanager:*:1000000000000001:account/rd-1/r-1/1000000000000002", "acs:ram:*:1:role/ResourceDirectoryAccountAccessRole", "nonsense"}) {
            const policy::Resource resource{std::string(arn)};
            const policy::Question question{action, {&resource, 1}};
            const auto decision = policy::decide(alone, nullptr, question);
            require(decision.effect == policy::decide(twice, nullptr, question).effect);
            require(!policy::decide(denied, nullptr, question).allowed());
            require(!policy::decide(granted, &deny_all, question).allowed());
            require(policy::decide(granted, &document, question).effect == decision.effect);
            require(!decision.allowed() || has(policy::Effect::allow));
            require(decision.effect != policy::Decision::Effect::explicit_deny || has(policy::Effect::deny));
            require(policy::decide(granted, nullptr, question).allowed() == (decision.effect != policy::Decision::Effect::explicit_deny));
            for (const auto* const statement : decision.statements) require(document.holds(statement));
        }
}

void trust_with(const policy::Document& document) {
    using Facts = policy::PrincipalFacts;
    // Nobody is trusted who has no account.
    require(!policy::trusts(&document, {Facts::Kind::user, "", "alice", ""}).allowed());
    for (const Facts& who : {Facts{Facts::Kind::user, "1", "alice", ""}, Facts{Facts::Kind::role_session, "1", "operator", "alice"}, Facts{Facts::Kind::service, "", "a.b", ""}})
        for (const auto* const statement : policy::trusts(&document, who).statements) require(document.holds(statement));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const auto kind : {policy::Kind::identity, policy::Kind::control, policy::Kind::trust}) {
        const auto document = policy::Document::parse(text, kind);
        if (!document) {
            require(!document.error().empty() && document.error().find('\n') == std::string::npos);
            continue;
        }
        require(!document->statements().empty());
        if (kind == policy::Kind::trust) trust_with(*document);
        else if (kind == policy::Kind::identity) decide_with(*document);
    }
    return 0;
}
