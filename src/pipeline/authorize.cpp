#include "pipeline/authorize.hpp"

#include "api/faults.hpp"
#include "base/text.hpp"
#include "keys/ring.hpp"
#include "pipeline/describe.hpp"
#include "store/directories.hpp"
#include "store/folders.hpp"
#include "store/identities.hpp"
#include "store/members.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>

namespace openrd::pipeline {
namespace {

const std::string& id_in(const api::ResourceFacts& facts, const void* request) {
    static const std::string none;
    return facts.id ? *static_cast<const std::string*>(facts.id(request)) : none;
}

std::string account_arn(const api::Caller& caller, const std::string& account_id, db::Transaction& tx) {
    const auto path = account_id.empty() ? std::string() : store::find_member_path(tx, caller.directory_id, account_id);
    // What is no member is the literal account/*, which only a grant on all accounts matches (decisions.md D.3).
    return "acs:resourcemanager:*:" + caller.account_id + ":account/" + (path.empty() ? "*" : path);
}

std::string folder_arn(const api::Caller& caller, const std::string& folder_id, db::Transaction& tx) {
    const auto directory = store::find_directory(tx, caller.directory_id);
    const auto folder = directory ? store::find_folder(tx, caller.directory_id, folder_id.empty() ? directory->root_folder_id : folder_id) : std::nullopt;
    return "acs:resourcemanager:*:" + caller.account_id + ":folder/" + (folder ? folder->path : "*");
}

// In policies a role's ARN has * for the region, in RoleArn it has none (protocol.md H.1).
std::string role_arn(const std::string& given) {
    constexpr std::string_view scheme = "acs:ram::";
    return given.starts_with(scheme) ? "acs:ram:*:" + given.substr(scheme.size()) : given;
}

policy::Resource resource_of(const api::ResourceFacts& facts, const void* request, const api::Caller& caller, db::Transaction& tx) {
    switch (facts.kind) {
        case api::ResourceKind::account:
            return policy::Resource([&caller, &tx, id = id_in(facts, request)] { return account_arn(caller, id, tx); });
        case api::ResourceKind::folder:
            return policy::Resource([&caller, &tx, id = id_in(facts, request)] { return folder_arn(caller, id, tx); });
        case api::ResourceKind::role:
            return policy::Resource(role_arn(id_in(facts, request)));
        case api::ResourceKind::everything:
        case api::ResourceKind::handshake:
        case api::ResourceKind::control_policy:
        case api::ResourceKind::user:
            break;
    }
    return policy::Resource("*");
}

// What DecodeDiagnosticMessage will read: sealed, since it tells what policies say.
std::string diagnostic(const Exchange& ex, const policy::Decision& decision, std::string_view resource, const keys::Ring& ring) {
    std::string text;
    wire::JsonWriter w(text);
    w.begin_answer({});
    w.boolean("ExplicitDeny", decision.effect == policy::Decision::Effect::explicit_deny);
    w.text("NoPermissionPolicyType", decision.policy_type), w.text("AuthAction", ex.operation->action.text), w.text("AuthResource", resource);
    w.text("AuthPrincipal", ex.identity->caller.arn);
    w.end_answer({});
    return base::base64(ring.seal(keys::Purpose::diagnostic, text, "diagnostic"));
}

wire::AccessDenied denied(const Exchange& ex, const policy::Decision& decision, std::string_view resource, const keys::Ring& ring) {
    const auto& caller = ex.identity->caller;
    const bool session = caller.kind == api::CallerKind::role_session;
    return {.auth_action = std::string(ex.operation->action.text),
            .auth_principal_type = session ? "AssumedRoleUser" : "SubUser",
            .auth_principal_owner_id = caller.account_id,
            .auth_principal_display_name = session ? caller.name : caller.principal_id,
            .no_permission_type = std::string(decision.no_permission_type()),
            .policy_type = std::string(decision.policy_type),
            .encoded_diagnostic_message = diagnostic(ex, decision, resource, ring)};
}

// AssumeRole: the role must be there, and both its trust policy and the caller's own policies must agree (protocol.md H.3, H.6).
std::optional<Refusal> authorize_role(const Exchange& ex, const std::string& arn, const policy::Question& question, db::Transaction& tx, const keys::Ring& ring) {
    if (ex.identity->caller.kind == api::CallerKind::root) return refuse(fault::sts_root_may_not);
    constexpr std::size_t account_at = 9, account_digits = 16, name_at = account_at + account_digits + 6;  // acs:ram::<16>:role/
    const auto role =
        arn.size() > name_at ? store::find_role_by_name(tx, std::string_view(arn).substr(account_at, account_digits), std::string_view(arn).substr(name_at)) : std::nullopt;
    if (!role) return refuse(fault::role_not_exists);
    const auto trust = policy::Document::parse(role->trust_policy, policy::Kind::trust);
    const policy::Document* session_policy = ex.identity->session_policy ? &*ex.identity->session_policy : nullptr;
    const auto decision = policy::decide_assume_role(ex.identity->policies, session_policy, trust ? &*trust : nullptr, ex.identity->principal(), question);
    if (decision.allowed()) return {};
    auto refusal = refuse(fault::sts_no_permission);
    refusal.denied = denied(ex, decision, arn, ring);
    return refusal;
}

}  // namespace

std::optional<Refusal> check_caller_kind(const Exchange& ex) {
    const auto& caller = ex.identity->caller;
    const bool manages = caller.standing == api::Standing::management;
    bool welcome = false;
    switch (ex.operation->callers) {
        case api::Callers::any_account:
            welcome = true;
            break;
        case api::Callers::management:
        case api::Callers::management_or_delegated:
            welcome = manages;
            break;
        case api::Callers::management_ram_identity:
            welcome = manages && caller.kind != api::CallerKind::root;
            break;
        case api::Callers::directory_account:
            welcome = caller.standing != api::Standing::none;
            break;
    }
    if (welcome) return {};
    const api::FaultKind* kind = refusal_of(ex.operation->callers);
    return refuse(kind ? *kind : fault::no_permission);
}

std::optional<Refusal> authorize(const Exchange& ex, const void* request, db::Transaction& tx, const keys::Ring& ring) {
    const api::AnyOperation& operation = *ex.operation;
    if (operation.action.open) return {};
    const auto& caller = ex.identity->caller;
    std::vector<policy::Resource> resources;
    for (std::size_t i = 0; i < operation.resource_count; ++i) resources.push_back(resource_of(operation.resources[i], request, caller, tx));
    const policy::Question question{operation.action.text, resources};
    if (operation.resources[0].kind == api::ResourceKind::role) return authorize_role(ex, id_in(operation.resources[0], request), question, tx, ring);
    // The root of an account may do everything with its own, and what is not its own no operation reaches (protocol.md H.6).
    if (caller.kind == api::CallerKind::root) return {};
    const policy::Document* session_policy = ex.identity->session_policy ? &*ex.identity->session_policy : nullptr;
    const auto decision = policy::decide(ex.identity->policies, session_policy, question);
    if (decision.allowed()) return {};
    auto refusal = refuse(fault::no_permission);
    refusal.denied = denied(ex, decision, resources[0].arn(), ring);
    return refusal;
}

std::optional<Refusal> check_site(const Exchange& ex, const base::Settings& settings) {
    const auto& off = settings.disabled_actions;
    const bool switched_off = std::ranges::any_of(off, [&](const std::string& name) { return base::equal_ignoring_case(name, ex.operation->name); });
    return switched_off ? std::optional(refuse(fault::not_support_site_action)) : std::nullopt;
}

}  // namespace openrd::pipeline
