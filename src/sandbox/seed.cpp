#include "sandbox/seed.hpp"

#include "base/text.hpp"
#include "store/access_keys.hpp"
#include "store/access_roles.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"
#include "store/facts.hpp"
#include "store/folders.hpp"
#include "store/identities.hpp"
#include "store/key_uses.hpp"
#include "store/members.hpp"
#include "store/policies.hpp"
#include "store/rates.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <stdexcept>

namespace openrd::sandbox {
namespace {

constexpr std::string_view full_access = "AliyunResourceDirectoryFullAccess";

struct Enterprise {
    std::string_view name;
    std::string_view state = store::enterprise_verified;
};
struct Pair {
    std::string_view access_key_id, secret;
};
struct NewDirectory {
    std::string_view directory_id, root_folder_id;
};
struct NewMember {
    std::string_view account_id, display_name, email;
    std::string_view folder_id = {};  // empty: Root
    bool invited = false;
    std::string_view phone = {}, phone_e164 = {};
};

// Hands out ids in the order of the table.
class Seeding {
  public:
    Seeding(db::Transaction& tx, const keys::Ring& ring, std::int64_t now_ms) : tx_(tx), ring_(ring), now_ms_(now_ms) {}

    // One that was not made by a directory: its root logs on with its e-mail address.
    void account(std::string_view id, std::string_view name, std::string_view email, Enterprise enterprise, std::string_view phone = {}) {
        add_account(id, email, name, email, enterprise, true, phone);
    }
    void add_account(std::string_view id, std::string_view account_name, std::string_view name, std::string_view email, Enterprise enterprise, bool root_enabled,
                     std::string_view phone = {}) {
        store::Account account{.account_id = std::string(id),
                               .account_name = std::string(account_name),
                               .display_name = std::string(name),
                               .email = std::string(email),
                               .site = "international",
                               .enterprise_name = std::string(enterprise.name),
                               .enterprise_state = std::string(enterprise.state),
                               .root_enabled = root_enabled,
                               .created_at_ms = now_ms_};
        if (!phone.empty()) account.phone_sealed = ring_.seal(keys::Purpose::phone, phone, id);
        store::insert_account(tx_, account);
    }

    void key(std::string_view account_id, std::string_view user_id, Pair pair) {
        store::insert_access_key(tx_, {.access_key_id = std::string(pair.access_key_id),
                                       .account_id = std::string(account_id),
                                       .user_id = std::string(user_id),
                                       .secret_sealed = ring_.seal(keys::Purpose::access_key_secret, pair.secret, pair.access_key_id),
                                       .created_at_ms = now_ms_});
    }
    void root_key(std::string_view account_id, Pair pair) { key(account_id, {}, pair); }

    void user(std::string_view account_id, std::string_view name, Pair pair, std::initializer_list<std::string_view> policies) {
        const auto user_id = std::to_string(next_user_id_++);
        store::insert_user(tx_, {.account_id = std::string(account_id), .user_id = user_id, .user_name = std::string(name), .created_at_ms = now_ms_});
        key(account_id, user_id, pair);
        for (const auto policy : policies) store::attach_policy(tx_, account_id, store::principal_user, user_id, store::policy_of_system, policy, now_ms_);
    }

    void role(std::string_view account_id, std::string_view name, std::string_view policy) {
        const auto role_id = next_role();
        store::insert_role(tx_, {.account_id = std::string(account_id),
                                 .role_id = role_id,
                                 .role_name = std::string(name),
                                 .trust_policy = fmt::format(
                                     R"({{"Statement":[{{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{{"RAM":["acs:ram::{}:root"]}}}}],"Version":"1"}})", account_id),
                                 .created_at_ms = now_ms_});
        store::attach_policy(tx_, account_id, store::principal_role, role_id, store::policy_of_system, policy, now_ms_);
    }

    void directory(NewDirectory directory, std::string_view management_account_id) {
        directory_ = directory;
        management_account_id_ = management_account_id;
        store::insert_directory(tx_, {.directory_id = std::string(directory.directory_id),
                                      .management_account_id = std::string(management_account_id),
                                      .root_folder_id = std::string(directory.root_folder_id),
                                      .created_at_ms = now_ms_});
    }

    void folder(std::string_view folder_id, std::string_view name) {
        const auto root = store::find_folder(tx_, directory_.directory_id, directory_.root_folder_id);
        store::Folder folder{.directory_id = std::string(directory_.directory_id),
                             .folder_id = std::string(folder_id),
                             .parent_folder_id = std::string(directory_.root_folder_id),
                             .folder_name = std::string(name),
                             .created_at_ms = now_ms_};
        if (!root || !store::insert_folder(tx_, *root, folder)) throw std::logic_error("the seed's folder cannot be made");
    }

    // Of the directory that was made last.
    void member(const NewMember& m, Enterprise enterprise) {
        // <prefix>@<directory>.aliyunid.com (decisions.md E.2); an invited account keeps its own.
        const auto account_name = m.invited ? std::string(m.email) : fmt::format("{}@{}.aliyunid.com", m.display_name, base::ascii_lower(directory_.directory_id));
        add_account(m.account_id, account_name, m.display_name, m.email, enterprise, m.invited);
        store::set_standing(tx_, m.account_id, store::standing_member, std::string(directory_.directory_id));
        const auto inserted = store::insert_member(tx_, {.directory_id = std::string(directory_.directory_id),
                                                         .account_id = std::string(m.account_id),
                                                         .folder_id = std::string(m.folder_id.empty() ? directory_.root_folder_id : m.folder_id),
                                                         .account_name = account_name,
                                                         .display_name = std::string(m.display_name),
                                                         .type = std::string(m.invited ? store::cloud_account : store::resource_account),
                                                         .status = m.invited ? "InviteSuccess" : "CreateSuccess",
                                                         .join_method = m.invited ? "invited" : "created",
                                                         .joined_at_ms = now_ms_,
                                                         .modified_at_ms = now_ms_,
                                                         .payer_account_id = std::string(m.account_id)});
        if (inserted != store::NewMember::inserted) throw std::logic_error("the seed's member cannot be made");
        members_.push_back({std::string(m.account_id), std::string(management_account_id_), next_role()});
        if (!m.phone.empty()) bind(m);
    }

    // The service's own roles come last, so that the ids of the table's roles do not depend on them.
    void service_linked_roles(std::initializer_list<std::string_view> management_account_ids) {
        for (const auto id : management_account_ids) store::insert_service_linked_role(tx_, id, now_ms_, next_role());
        for (const auto& m : members_) store::insert_member_roles(tx_, m.account_id, m.management_account_id, now_ms_, {m.access_role_id, next_role()});
    }

  private:
    struct Made {
        std::string account_id, management_account_id, access_role_id;
    };

    std::string next_role() { return std::to_string(next_role_id_++); }

    void bind(const NewMember& m) {
        const auto index = ring_.blind_index(m.phone_e164);
        const bool bound = store::bind_phone(tx_, directory_.directory_id, m.account_id,
                                             {.phone_index = index,
                                              .phone_sealed = ring_.seal(keys::Purpose::phone, m.phone, m.account_id),
                                              .bound_by = fmt::format("acs:ram::{}:user/admin", management_account_id_),
                                              .verification_id = std::string(16, '\0'),  // of no verification
                                              .bound_at_ms = now_ms_});
        if (!bound || !store::count_phone_use(tx_, index, INT64_MAX)) throw std::logic_error("the seed's phone cannot be bound");
    }

    db::Transaction& tx_;
    const keys::Ring& ring_;
    std::int64_t now_ms_;
    NewDirectory directory_;
    std::string_view management_account_id_;
    std::vector<Made> members_;
    std::int64_t next_user_id_ = 200'000'000'000'000'001, next_role_id_ = 300'000'000'000'000'001;
};

void sandbox_enterprise(Seeding& s) {
    constexpr std::string_view manager = "1000000000000001";
    constexpr Enterprise enterprise{"Sandbox Enterprise"};
    s.account(manager, "Sandbox Enterprise", "admin@sandbox.example", enterprise);
    s.root_key(manager, {"LTAIsandboxRoot0001", "sandbox-root-secret"});
    s.user(manager, "admin", {admin_access_key_id, admin_secret}, {full_access, "AliyunSTSAssumeRoleAccess", "AliyunRAMFullAccess", "AliyunActionTrailFullAccess"});
    s.user(manager, "reader", {"LTAIsandboxReader01", "sandbox-reader-secret"}, {"AliyunResourceDirectoryReadOnlyAccess"});
    s.user(manager, "nobody", {"LTAIsandboxNobody01", "sandbox-nobody-secret"}, {});
    s.role(manager, "operator", full_access);
    s.directory({"rd-sandbx", "r-sandbx"}, manager);
    s.folder("fd-sandboxwrk", "workloads");
    s.member({.account_id = "1000000000000002", .display_name = "team-blue", .email = "team-blue@sandbox.example"}, enterprise);
    s.user("1000000000000002", "dev", {"LTAIsandboxMember01", "sandbox-member-secret"}, {});
    s.member({.account_id = "1000000000000003",
              .display_name = "team-red",
              .email = "team-red@sandbox.example",
              .folder_id = "fd-sandboxwrk",
              .phone = "65-81230000",
              .phone_e164 = "+6581230000"},
             enterprise);
    s.member({.account_id = "1000000000000004", .display_name = "joined-corp", .email = "admin@joined.example", .invited = true}, enterprise);
    s.root_key("1000000000000004", {"LTAIsandboxJoined01", "sandbox-joined-secret"});
}

void outside_co(Seeding& s) {
    s.account("1000000000000009", "Outside Co", "admin@outside.example", {"Sandbox Enterprise"}, "65-81239999");
    s.root_key("1000000000000009", {"LTAIsandboxOutside1", "sandbox-outside-secret"});
}

struct Other {
    std::string_view account_id, name, email;
    Pair pair;
    NewDirectory directory;
    NewMember member;
};

// Another directory with one member.
void other_directory(Seeding& s, const Other& o, Enterprise enterprise) {
    s.account(o.account_id, o.name, o.email, enterprise);
    s.user(o.account_id, "admin", o.pair, {full_access});
    s.directory(o.directory, o.account_id);
    s.member(o.member, enterprise);
}

}  // namespace

void seed(db::Transaction& tx, const keys::Ring& ring, std::string_view audit_origin, std::int64_t now_ms) {
    store::put_fact(tx, store::fact_made_by, made_by);
    store::put_fact(tx, store::fact_key_fingerprint, ring.fingerprint());
    store::put_fact(tx, store::fact_audit_origin, audit_origin);
    store::put_key_uses(tx, ring.uses());  // the first root may be retired
    Seeding s(tx, ring, now_ms);
    sandbox_enterprise(s);
    outside_co(s);
    other_directory(s,
                    {.account_id = "1000000000000011",
                     .name = "Other Corp",
                     .email = "admin@other.example",
                     .pair = {"LTAIsandboxOther001", "sandbox-other-secret"},
                     .directory = {"rd-otherx", "r-otherx"},
                     .member = {.account_id = "1000000000000012", .display_name = "other-team", .email = "team@other.example"}},
                    {"Other Corp"});
    other_directory(s,
                    {.account_id = "1000000000000021",
                     .name = "Unverified Ltd",
                     .email = "admin@unverified.example",
                     .pair = {"LTAIsandboxUnverif1", "sandbox-unverified-secret"},
                     .directory = {"rd-unverf", "r-unverf"},
                     .member = {.account_id = "1000000000000022", .display_name = "unverified-team", .email = "team@unverified.example"}},
                    {"Unverified Ltd", store::enterprise_withdrawn});
    other_directory(s,
                    {.account_id = "1000000000000031",
                     .name = "Nameless",
                     .email = "admin@nameless.example",
                     .pair = {"LTAIsandboxNameles1", "sandbox-nameless-secret"},
                     .directory = {"rd-namels", "r-namels"},
                     .member = {.account_id = "1000000000000032", .display_name = "nameless-team", .email = "team@nameless.example"}},
                    {""});
    s.service_linked_roles({"1000000000000001", "1000000000000011", "1000000000000021", "1000000000000031"});
}

}  // namespace openrd::sandbox
