#include "pipeline/identity.hpp"

#include "keys/ring.hpp"
#include "policy/system_policies.hpp"
#include "store/access_keys.hpp"
#include "store/accounts.hpp"
#include "store/identities.hpp"
#include "store/policies.hpp"

#include <functional>

namespace openrd::pipeline {
namespace {

api::Standing standing_of(const store::Account& account) {
    if (account.standing == store::standing_management) return api::Standing::management;
    return account.standing == store::standing_member ? api::Standing::member : api::Standing::none;
}

std::optional<store::Account> place_account(db::Transaction& tx, std::string_view account_id, api::Caller& caller) {
    auto account = store::find_account(tx, account_id);
    if (!account) return {};
    caller.account_id = account->account_id;
    caller.standing = standing_of(*account);
    caller.directory_id = account->directory_id.value_or(std::string());
    return account;
}

void load_policies(db::Transaction& tx, std::string_view kind, std::string_view principal_id, Identity& identity) {
    for (const auto& attached : store::attached_policies(tx, identity.caller.account_id, kind, principal_id)) {
        if (attached.policy_type == store::policy_of_system) {
            identity.policies.push_back(policy::find_system_policy(attached.policy_name));
            continue;
        }
        auto document = policy::Document::parse(attached.document, policy::Kind::identity);
        if (document) identity.policies.push_back(identity.owned.emplace_back(std::make_unique<const policy::Document>(*std::move(document))).get());
        else identity.policies.push_back(nullptr);  // what it denies is not known: nothing is allowed
    }
}

}  // namespace

policy::PrincipalFacts Identity::principal() const {
    using Kind = policy::PrincipalFacts::Kind;
    if (caller.kind == api::CallerKind::root) return {Kind::root, caller.account_id, caller.name, {}};
    if (caller.kind == api::CallerKind::user) return {Kind::user, caller.account_id, caller.name, {}};
    const std::string_view name = caller.name;
    const auto colon = name.find(':');
    return {Kind::role_session, caller.account_id, name.substr(0, colon), name.substr(colon + 1)};
}

std::shared_ptr<const Identity> load_identity(db::Transaction& tx, const keys::Ring& ring, std::string_view access_key_id, std::uint64_t generation) {
    const auto key = store::find_access_key(tx, access_key_id);
    if (!key) return nullptr;
    const auto secret = ring.open(keys::Purpose::access_key_secret, key->secret_sealed, key->access_key_id);
    auto identity = std::make_shared<Identity>();
    identity->generation = generation;
    api::Caller& caller = identity->caller;
    if (!secret) return nullptr;
    const auto account = place_account(tx, key->account_id, caller);
    if (!account) return nullptr;
    caller.access_key_id = key->access_key_id;
    identity->active = key->status == store::key_active;
    identity->key = std::make_shared<const wire::SigningKey>(*secret);
    if (key->user_id.empty()) {
        identity->active = identity->active && account->root_enabled;
        caller.kind = api::CallerKind::root;
        caller.principal_id = caller.account_id;
        caller.name = "root";
        caller.arn = "acs:ram::" + caller.account_id + ":root";
        return identity;
    }
    const auto user = store::find_user(tx, key->account_id, key->user_id);
    if (!user) return nullptr;
    caller.kind = api::CallerKind::user;
    caller.principal_id = user->user_id;
    caller.name = user->user_name;
    caller.arn = "acs:ram::" + caller.account_id + ":user/" + user->user_name;
    load_policies(tx, store::principal_user, user->user_id, *identity);
    return identity;
}

std::shared_ptr<const Identity> load_session(db::Transaction& tx, const keys::Session& session, std::uint64_t generation) {
    const auto role = store::find_role(tx, session.account_id, session.role_id);
    auto identity = std::make_shared<Identity>();
    identity->generation = generation;
    api::Caller& caller = identity->caller;
    if (!role || !place_account(tx, session.account_id, caller)) return nullptr;
    caller.kind = api::CallerKind::role_session;
    caller.access_key_id = session.access_key_id;
    caller.role_id = role->role_id;
    caller.principal_id = role->role_id + ":" + session.session_name;
    caller.name = role->role_name + ":" + session.session_name;
    caller.arn = "acs:ram::" + caller.account_id + ":assumed-role/" + role->role_name + "/" + session.session_name;
    caller.source_identity = session.source_identity;
    identity->key = std::make_shared<const wire::SigningKey>(session.secret);
    identity->expires_at_ms = session.expires_at_ms;
    if (!session.policy.empty()) {
        auto document = policy::Document::parse(session.policy, policy::Kind::identity);
        if (!document) return nullptr;
        identity->session_policy = *std::move(document);
    }
    load_policies(tx, store::principal_role, role->role_id, *identity);
    return identity;
}

Identities::Shard& Identities::shard_of(std::string_view credential) { return shards_[std::hash<std::string_view>{}(credential) % shards_.size()]; }

std::shared_ptr<const Identity> Identities::find(std::string_view credential, std::uint64_t generation) {
    Shard& shard = shard_of(credential);
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.known.find(std::string(credential));
    return at != shard.known.end() && at->second->generation == generation ? at->second : nullptr;
}

void Identities::put(std::string_view credential, std::shared_ptr<const Identity> identity) {
    Shard& shard = shard_of(credential);
    const std::lock_guard lock(shard.mutex);
    if (shard.known.size() >= most_per_shard) shard.known.clear();
    shard.known.insert_or_assign(std::string(credential), std::move(identity));
}

void Identities::clear() {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        shard.known.clear();
    }
}

}  // namespace openrd::pipeline
