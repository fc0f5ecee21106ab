#include "openrd/account.hpp"

#include "api/call.hpp"
#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "openrd/session.hpp"
#include "phone/mobile_number.hpp"
#include "policy/system_policies.hpp"
#include "store/access_keys.hpp"
#include "store/accounts.hpp"
#include "store/identities.hpp"
#include "store/members.hpp"
#include "store/policies.hpp"
#include "store/rates.hpp"
#include "store/subjects.hpp"
#include "store/verifications.hpp"
#include "wire/json_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace openrd {
namespace {

constexpr std::int64_t accounts_at_a_time = 500;

store::Account load(db::Transaction& tx, const std::string& account_id) {
    auto account = store::find_account(tx, account_id);
    if (!account) throw Failure(fmt::format("there is no account {}", account_id), refused_status);
    return *std::move(account);
}

void write_facts(wire::JsonWriter& w, const store::Account& a) {
    w.text("AccountId", a.account_id), w.text("DisplayName", a.display_name), w.text("AccountName", a.account_name), w.text("Email", a.email);
    w.text("Site", a.site), w.text("Standing", a.standing);
    if (a.directory_id) w.text("ResourceDirectoryId", *a.directory_id);
    w.text("EnterpriseName", a.enterprise_name), w.text("EnterpriseVerification", a.enterprise_state), w.boolean("RootEnabled", a.root_enabled);
    w.text("CreateTime", base::utc_milliseconds(a.created_at_ms));
}

std::string masked(const keys::Ring& ring, const std::string& sealed, const std::string& account_id) {
    const auto opened = ring.open(keys::Purpose::phone, sealed, account_id);
    const auto number = opened ? phone::MobileNumber::parse(opened->reveal()) : std::nullopt;
    return number ? number->masked() : "unreadable";
}

void write_phones(wire::JsonWriter& w, db::Transaction& tx, const store::Account& account, const keys::Ring& ring) {
    if (account.phone_sealed) w.text("AccountPhone", masked(ring, *account.phone_sealed, account.account_id));
    if (account.standing != store::standing_member || !account.directory_id) return;
    const auto member = store::find_member(tx, *account.directory_id, account.account_id);
    if (member && member->phone_sealed) w.text("SecureMobilePhone", masked(ring, *member->phone_sealed, account.account_id));
}

void write_guard(wire::JsonWriter& w, db::Transaction& tx, const store::Account& account) {
    const auto verification = store::find_verification(tx, account.account_id, store::purpose_bind);
    if (!verification) return;
    w.number("ConsecutiveWrongCodes", verification->failures);
    if (verification->locked_until_ms > 0) w.text("LockedUntil", base::utc_milliseconds(verification->locked_until_ms));
}

int set_enterprise(const AccountOptions& o, std::string_view state, std::string_view act) {
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto account = load(tx, o.account_id);
        if (account.enterprise_state == state) throw Failure(fmt::format("the enterprise verification of {} is {} already", o.account_id, state), refused_status);
        if (account.enterprise_name.empty() && state == store::enterprise_verified)
            throw Failure(fmt::format("{} has no enterprise name that could be verified", o.account_id), refused_status);
        store::set_enterprise_state(tx, o.account_id, state);
        record(tx, {.account_id = log_of(tx, account), .name = act, .resource_type = api::account_resource, .resource = o.account_id, .parameters = {{"AccountId", o.account_id}}},
               base::real_now_ms());
    });
    print(object([&](wire::JsonWriter& w) { w.text("AccountId", o.account_id), w.text("EnterpriseVerification", state); }));
    return 0;
}

// The RAM user that the key is for; empty: the root.
std::string user_of(db::Transaction& tx, const AccountOptions& o, std::int64_t now_ms) {
    if (o.user_name.empty()) return {};
    if (const auto user = store::find_user_by_name(tx, o.account_id, o.user_name)) return user->user_id;
    const store::User user{.account_id = o.account_id, .user_id = base::random_digits(18), .user_name = o.user_name, .created_at_ms = now_ms};
    store::insert_user(tx, user);
    return user.user_id;
}

void check_user(const AccountOptions& o) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'; };
    if (o.user_name.size() > 64 || !std::ranges::all_of(o.user_name, allowed)) throw Failure("--user: up to 64 letters, digits, '.', '_' and '-'");
    if (o.user_name.empty() && !o.policies.empty()) throw Failure("--policy goes with --user: a root needs none");
    for (const auto& policy : o.policies)
        if (!policy::find_system_policy(policy)) throw Failure(fmt::format("--policy {}: there is no such system policy", policy));
}

}  // namespace

int create_account(const AccountOptions& o) {
    for (const auto& text : {o.name, o.email, o.enterprise_name})
        if (!base::is_clean_utf8(text) || text.size() > 256) throw Failure("names are texts of at most 256 bytes");
    if (o.name.empty()) throw Failure("--name is empty");
    Session session(o.place);
    const auto account_id = base::random_digits(16);
    session.write([&](db::Transaction& tx) {
        const auto now_ms = base::real_now_ms();
        store::insert_account(tx, {.account_id = account_id,
                                   .account_name = o.email.empty() ? o.name : o.email,
                                   .display_name = o.name,
                                   .email = o.email,
                                   .site = "international",
                                   .enterprise_name = o.enterprise_name,
                                   .enterprise_state = std::string(o.enterprise_name.empty() ? store::enterprise_unverified : store::enterprise_verified),
                                   .created_at_ms = now_ms});
        record(tx,
               {.account_id = account_id,
                .name = "CreateAccount",
                .resource_type = api::account_resource,
                .resource = account_id,
                .parameters = {{"AccountId", account_id}, {"DisplayName", o.name}, {"EnterpriseName", o.enterprise_name}}},
               now_ms);
    });
    print(object([&](wire::JsonWriter& w) { w.text("AccountId", account_id); }));
    return 0;
}

int list_accounts(const AccountOptions& o) {
    Session session(o.place);
    std::string after;
    for (bool more = true; more;) {
        std::vector<store::Account> accounts;
        session.read([&](db::Transaction& tx) { accounts = store::list_accounts(tx, after, accounts_at_a_time); });
        for (const auto& account : accounts) print(object([&](wire::JsonWriter& w) { write_facts(w, account); }));
        more = !accounts.empty();
        if (more) after = accounts.back().account_id;
    }
    return 0;
}

int show_account(const AccountOptions& o) {
    Session session(o.place);
    std::string line;
    session.read([&](db::Transaction& tx) {
        const auto account = load(tx, o.account_id);
        line = object([&](wire::JsonWriter& w) {
            write_facts(w, account);
            write_phones(w, tx, account, session.ring());
            write_guard(w, tx, account);
            w.begin_list("AccessKeys", {});
            for (const auto& key : store::list_access_keys(tx, o.account_id)) {
                w.begin_item({}), w.text("AccessKeyId", key.access_key_id), w.text("Status", key.status);
                const auto user = key.user_id.empty() ? std::nullopt : store::find_user(tx, o.account_id, key.user_id);
                w.text("User", user ? user->user_name : "root"), w.end_item({});
            }
            w.end_list({}, {});
        });
    });
    print(line);
    return 0;
}

int create_access_key(const AccountOptions& o) {
    check_user(o);
    Session session(o.place);
    const auto access_key_id = base::identifier("LTAI5t", 18);
    const base::Secret secret(base::identifier({}, 30));
    session.write([&](db::Transaction& tx) {
        const auto account = load(tx, o.account_id);
        if (o.user_name.empty() && !account.root_enabled) throw Failure(fmt::format("the root of {} is disabled: name a --user", o.account_id), refused_status);
        const auto now_ms = base::real_now_ms();
        const auto user_id = user_of(tx, o, now_ms);
        for (const auto& policy : o.policies) store::attach_policy(tx, o.account_id, store::principal_user, user_id, store::policy_of_system, policy, now_ms);
        store::insert_access_key(tx, {.access_key_id = access_key_id,
                                      .account_id = o.account_id,
                                      .user_id = user_id,
                                      .secret_sealed = session.ring().seal(keys::Purpose::access_key_secret, secret.reveal(), access_key_id),
                                      .created_at_ms = now_ms});
        record(tx,
               {.account_id = log_of(tx, account),
                .name = "CreateAccessKey",
                .resource_type = "ACS::RAM::AccessKey",
                .resource = access_key_id,
                .parameters = {{"AccountId", o.account_id},
                               {"UserName", o.user_name.empty() ? "root" : o.user_name},
                               {"Policies", fmt::format("{}", fmt::join(o.policies, ","))},
                               {"AccessKeyId", access_key_id}}},
               now_ms);
    });
    std::printf("{\"AccessKeyId\":\"%s\",\"AccessKeySecret\":\"%.*s\"}\n", access_key_id.c_str(), static_cast<int>(secret.reveal().size()), secret.reveal().data());
    return 0;
}

int verify_enterprise(const AccountOptions& o) { return set_enterprise(o, store::enterprise_verified, "VerifyEnterprise"); }

int withdraw_enterprise(const AccountOptions& o) { return set_enterprise(o, store::enterprise_withdrawn, "WithdrawEnterprise"); }

int unbind_phone(const AccountOptions& o) {
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto account = load(tx, o.account_id);
        const auto now_ms = base::real_now_ms();
        const bool member = account.standing == store::standing_member && account.directory_id;
        const auto phone_index = member ? store::unbind_phone(tx, *account.directory_id, o.account_id, now_ms) : std::nullopt;
        if (!phone_index) throw Failure(fmt::format("no phone is bound to {}", o.account_id), refused_status);
        store::release_phone_use(tx, *phone_index);
        const auto log = log_of(tx, account);
        const auto subject = store::find_subject(tx, log, *phone_index);
        record(tx,
               {.account_id = log,
                .name = "UnbindSecureMobilePhone",
                .resource_type = api::account_resource,
                .resource = o.account_id,
                .parameters = {{"AccountId", o.account_id}},
                .subject_ref = subject ? subject->subject_ref : ""},
               now_ms);
    });
    print(object([&](wire::JsonWriter& w) { w.text("AccountId", o.account_id), w.boolean("HasSecureMobilePhone", false); }));
    return 0;
}

int lock_account(const AccountOptions& o) {
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto account = load(tx, o.account_id);
        const auto now_ms = base::real_now_ms();
        if (!store::lock_verification(tx, o.account_id, account.directory_id.value_or(""), store::purpose_bind, now_ms))
            throw Failure(fmt::format("{} is locked already", o.account_id), refused_status);
        record(tx,
               {.account_id = log_of(tx, account),
                .name = "LockVerification",
                .resource_type = api::account_resource,
                .resource = o.account_id,
                .parameters = {{"AccountId", o.account_id}}},
               now_ms);
    });
    print(object([&](wire::JsonWriter& w) { w.text("AccountId", o.account_id), w.boolean("Locked", true); }));
    return 0;
}

int unlock_account(const AccountOptions& o) {
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto account = load(tx, o.account_id);
        const auto now_ms = base::real_now_ms();
        if (!store::unlock_verification(tx, o.account_id, store::purpose_bind, now_ms)) throw Failure(fmt::format("{} is not locked", o.account_id), refused_status);
        record(tx,
               {.account_id = log_of(tx, account),
                .name = "UnlockVerification",
                .resource_type = api::account_resource,
                .resource = o.account_id,
                .parameters = {{"AccountId", o.account_id}}},
               now_ms);
    });
    print(object([&](wire::JsonWriter& w) { w.text("AccountId", o.account_id), w.boolean("Locked", false); }));
    return 0;
}

}  // namespace openrd
