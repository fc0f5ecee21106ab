#include "policy/decide.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace openrd::policy {
namespace {

constexpr std::string_view assume_role = "sts:AssumeRole";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_action(std::string_view text) {
    const auto colon = text.find(':');
    return colon != text.npos && colon > 0 && colon + 1 < text.size();
}
bool is_resource(std::string_view text) { return text == "*" || (text.starts_with("acs:") && std::ranges::count(text, ':') >= 4); }

// Where the name of a role begins, from which case does not count (protocol.md H.1): acs:ram:<region>:<uid>:role/<name>.
std::size_t role_name_of(std::string_view arn) {
    constexpr std::string_view ram = "acs:ram:", role = "role/";
    if (!arn.starts_with(ram)) return arn.size();
    const auto region_end = arn.find(':', ram.size());
    const auto account_end = region_end == arn.npos ? arn.npos : arn.find(':', region_end + 1);
    if (account_end == arn.npos || !arn.substr(account_end + 1).starts_with(role)) return arn.size();
    return account_end + 1 + role.size();
}

bool action_is_meant(const Statement& statement, std::string_view action) {
    const auto same = [action](char c, std::size_t i) { return c == lower(action[i]); };
    const bool listed = std::ranges::any_of(statement.actions, [&](const Pattern& pattern) { return pattern.matches(action, same); });
    return listed != statement.not_actions;
}

bool resource_is_meant(const Statement& statement, const Resource& resource) {
    if (std::ranges::any_of(statement.resources, &Pattern::everything)) return !statement.not_resources;
    const std::string_view arn = resource.arn();
    // What cannot be named is not granted, and not taken out of what is denied.
    if (!is_resource(arn)) return statement.effect == Effect::deny;
    const auto name = role_name_of(arn);
    const auto same = [arn, name](char c, std::size_t i) { return c == arn[i] || (i >= name && lower(c) == lower(arn[i])); };
    const bool listed = std::ranges::any_of(statement.resources, [&](const Pattern& pattern) { return pattern.matches(arn, same); });
    return listed != statement.not_resources;
}

// The statements that matched, by effect.
struct Matched {
    std::vector<const Statement*> denying, allowing;
    Decision decision(std::string_view policy_type) && {
        if (!denying.empty()) return {Decision::Effect::explicit_deny, std::move(denying), policy_type};
        if (!allowing.empty()) return {Decision::Effect::allow, std::move(allowing), policy_type};
        return {Decision::Effect::implicit_deny, {}, policy_type};
    }
};

Decision evaluate_one(Documents documents, std::string_view action, const Resource& resource) {
    Matched matched;
    for (const auto* const document : documents)
        for (const auto& statement : document->statements())
            if (action_is_meant(statement, action) && resource_is_meant(statement, resource))
                (statement.effect == Effect::deny ? matched.denying : matched.allowing).push_back(&statement);
    return std::move(matched).decision({});
}

bool is_meant(const Principal& principal, const PrincipalFacts& who) {
    using Facts = PrincipalFacts::Kind;
    const bool same_account = !who.account_id.empty() && principal.account_id == who.account_id;
    const bool role_named = same_account && who.kind == Facts::role_session && base::equal_ignoring_case(principal.name, who.name);
    switch (principal.kind) {
        case Principal::Kind::account:
            return same_account && who.kind != Facts::service;
        case Principal::Kind::user:
            return same_account && who.kind == Facts::user && principal.name == who.name;
        case Principal::Kind::role:
            return role_named;
        case Principal::Kind::role_session:
            return role_named && principal.session_name == who.session_name;
        case Principal::Kind::service:
            return who.kind == Facts::service && base::equal_ignoring_case(principal.name, who.name);
        case Principal::Kind::federated:
            return false;  // nobody comes by way of a provider yet
    }
    return false;
}

Decision typed(Decision decision, std::string_view policy_type) {
    decision.policy_type = policy_type;
    return decision;
}

}  // namespace

std::string_view Resource::arn() const {
    if (!made_) {
        arn_ = make_ ? make_() : std::string();
        made_ = true;
    }
    return arn_;
}

std::string_view Decision::no_permission_type() const {
    if (effect == Effect::allow) return {};
    return effect == Effect::explicit_deny ? "ExplicitDeny" : "ImplicitDeny";
}

Decision evaluate(Documents documents, const Question& question) {
    const bool readable = std::ranges::all_of(documents, [](const Document* document) { return document != nullptr && document->kind() != Kind::trust; });
    if (!readable || !is_action(question.action) || question.resources.empty()) return {};
    Decision all{Decision::Effect::allow, {}, {}};
    for (const auto& resource : question.resources) {
        auto one = evaluate_one(documents, question.action, resource);
        if (one.effect == Decision::Effect::explicit_deny) return one;
        if (!one.allowed()) all = {};
        if (all.allowed()) all.statements.insert(all.statements.end(), one.statements.begin(), one.statements.end());
    }
    return all;
}

Decision decide(Documents identity, const Document* session, const Question& question) {
    if (session != nullptr) {
        auto decision = evaluate({&session, 1}, question);
        if (!decision.allowed()) return typed(std::move(decision), session_policy);
    }
    return typed(evaluate(identity, question), identity_policy);
}

Decision trusts(const Document* trust, const PrincipalFacts& who) {
    Matched matched;
    if (trust != nullptr && trust->kind() == Kind::trust)
        for (const auto& statement : trust->statements())
            if (action_is_meant(statement, assume_role) && std::ranges::any_of(statement.principals, [&](const Principal& principal) { return is_meant(principal, who); }))
                (statement.effect == Effect::deny ? matched.denying : matched.allowing).push_back(&statement);
    return std::move(matched).decision(assume_role_policy);
}

Decision decide_assume_role(Documents identity, const Document* session, const Document* trust, const PrincipalFacts& who, const Question& question) {
    auto own = decide(identity, session, question);
    auto theirs = trusts(trust, who);
    if (own.effect == Decision::Effect::explicit_deny || own.policy_type == session_policy) return own;
    if (theirs.effect == Decision::Effect::explicit_deny) return theirs;
    return own.allowed() ? theirs : own;
}

}  // namespace openrd::policy
