#include "sandbox/seed.hpp"

#include "phone/mobile_number.hpp"
#include "sandbox/testing.hpp"
#include "store/access_keys.hpp"
#include "store/access_roles.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"
#include "store/everything.hpp"
#include "store/facts.hpp"
#include "store/folders.hpp"
#include "store/identities.hpp"
#include "store/members.hpp"
#include "store/policies.hpp"
#include "store/rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

namespace openrd::sandbox {
namespace {

constexpr std::int64_t now_ms = 1'795'525'200'000;

// The table of sandbox.md 2, read back by whatever the server itself reads with.
class Seed : public ::testing::Test {
  protected:
    Seed() : ring_(testing::some_ring()) {
        database_->write_and_wait([this](db::Transaction& tx) { seed(tx, ring_, "test.example/audit", now_ms); });
    }

    template <class T> T read(const std::function<T(db::Transaction&)>& look) {
        std::optional<T> seen;
        database_->read([&](db::Transaction& tx) { seen = look(tx); });
        return *seen;
    }
    store::Account account(std::string_view id) {
        return read<store::Account>([&](db::Transaction& tx) { return store::find_account(tx, id).value_or(store::Account{}); });
    }
    store::Member member(std::string_view directory_id, std::string_view id) {
        return read<store::Member>([&](db::Transaction& tx) { return store::find_member(tx, directory_id, id).value_or(store::Member{}); });
    }
    std::string phone_of(const std::optional<std::string>& sealed, std::string_view account_id) {
        if (!sealed) return "none";
        const auto opened = ring_.open(keys::Purpose::phone, *sealed, account_id);
        return opened ? std::string(opened->reveal()) : "sealed otherwise";
    }
    // "1000000000000001 admin 200000000000000001 sandbox-admin-secret"
    std::string key(std::string_view id) {
        return read<std::string>([&](db::Transaction& tx) -> std::string {
            const auto found = store::find_access_key(tx, id);
            if (!found || found->status != store::key_active) return "none";
            const auto user = found->user_id.empty() ? std::nullopt : store::find_user(tx, found->account_id, found->user_id);
            const auto secret = ring_.open(keys::Purpose::access_key_secret, found->secret_sealed, id);
            return fmt::format("{} {} {} {}", found->account_id, user ? user->user_name : "root", found->user_id, secret ? secret->reveal() : "sealed otherwise");
        });
    }
    std::string policies(std::string_view account_id, std::string_view kind, std::string_view id) {
        return read<std::string>([&](db::Transaction& tx) {
            std::vector<std::string> names;
            for (const auto& policy : store::attached_policies(tx, account_id, kind, id)) names.push_back(policy.policy_type + ":" + policy.policy_name);
            std::ranges::sort(names);
            return fmt::format("{}", fmt::join(names, " "));
        });
    }
    store::Role role(std::string_view account_id, std::string_view name) {
        return read<store::Role>([&](db::Transaction& tx) { return store::find_role_by_name(tx, account_id, name).value_or(store::Role{}); });
    }

    testing::Database database_;
    keys::Ring ring_;
};

TEST_F(Seed, HasTheAccountsOfTheTableAndNoOthers) {
    const auto lines = read<std::vector<std::string>>([](db::Transaction& tx) {
        std::vector<std::string> out;
        for (const auto& a : store::list_accounts(tx, "", 100))
            out.push_back(fmt::format("{}|{}|{}|{}|{}|{}", a.account_id, a.display_name, a.standing, a.directory_id.value_or("-"), a.enterprise_name, a.enterprise_state));
        return out;
    });
    EXPECT_EQ(lines, (std::vector<std::string>{
                         "1000000000000001|Sandbox Enterprise|management|rd-sandbx|Sandbox Enterprise|verified",
                         "1000000000000002|team-blue|member|rd-sandbx|Sandbox Enterprise|verified",
                         "1000000000000003|team-red|member|rd-sandbx|Sandbox Enterprise|verified",
                         "1000000000000004|joined-corp|member|rd-sandbx|Sandbox Enterprise|verified",
                         "1000000000000009|Outside Co|none|-|Sandbox Enterprise|verified",
                         "1000000000000011|Other Corp|management|rd-otherx|Other Corp|verified",
                         "1000000000000012|other-team|member|rd-otherx|Other Corp|verified",
                         "1000000000000021|Unverified Ltd|management|rd-unverf|Unverified Ltd|withdrawn",
                         "1000000000000022|unverified-team|member|rd-unverf|Unverified Ltd|withdrawn",
                         "1000000000000031|Nameless|management|rd-namels||verified",
                         "1000000000000032|nameless-team|member|rd-namels||verified",
                     }));
}

TEST_F(Seed, GivesEveryAccountAnEMailAddressAndASite) {
    read<int>([](db::Transaction& tx) {
        for (const auto& a : store::list_accounts(tx, "", 100)) {
            EXPECT_NE(a.email.find('@'), std::string::npos) << a.account_id;
            EXPECT_EQ(a.site, "international") << a.account_id;
            EXPECT_EQ(a.created_at_ms, now_ms);
        }
        return 0;
    });
    EXPECT_EQ(account("1000000000000009").email, "admin@outside.example");
    EXPECT_EQ(phone_of(account("1000000000000009").phone_sealed, "1000000000000009"), "65-81239999");
}

TEST_F(Seed, HasTheAccessKeysOfTheTable) {
    EXPECT_EQ(key("LTAIsandboxRoot0001"), "1000000000000001 root  sandbox-root-secret");
    EXPECT_EQ(key("LTAIsandboxAdmin001"), "1000000000000001 admin 200000000000000001 sandbox-admin-secret");
    EXPECT_EQ(key("LTAIsandboxReader01"), "1000000000000001 reader 200000000000000002 sandbox-reader-secret");
    EXPECT_EQ(key("LTAIsandboxNobody01"), "1000000000000001 nobody 200000000000000003 sandbox-nobody-secret");
    EXPECT_EQ(key("LTAIsandboxMember01"), "1000000000000002 dev 200000000000000004 sandbox-member-secret");
    EXPECT_EQ(key("LTAIsandboxJoined01"), "1000000000000004 root  sandbox-joined-secret");
    EXPECT_EQ(key("LTAIsandboxOutside1"), "1000000000000009 root  sandbox-outside-secret");
    EXPECT_EQ(key("LTAIsandboxOther001"), "1000000000000011 admin 200000000000000005 sandbox-other-secret");
    EXPECT_EQ(key("LTAIsandboxUnverif1"), "1000000000000021 admin 200000000000000006 sandbox-unverified-secret");
    EXPECT_EQ(key("LTAIsandboxNameles1"), "1000000000000031 admin 200000000000000007 sandbox-nameless-secret");
    const auto total = read<std::size_t>([](db::Transaction& tx) {
        std::size_t count = 0;
        for (const auto& a : store::list_accounts(tx, "", 100)) count += store::list_access_keys(tx, a.account_id).size();
        return count;
    });
    EXPECT_EQ(total, 10u);
}

TEST_F(Seed, AttachesThePoliciesOfTheTable) {
    EXPECT_EQ(policies("1000000000000001", "user", "200000000000000001"),
              "System:AliyunActionTrailFullAccess System:AliyunRAMFullAccess System:AliyunResourceDirectoryFullAccess System:AliyunSTSAssumeRoleAccess");
    EXPECT_EQ(policies("1000000000000001", "user", "200000000000000002"), "System:AliyunResourceDirectoryReadOnlyAccess");
    EXPECT_EQ(policies("1000000000000001", "user", "200000000000000003"), "");
    EXPECT_EQ(policies("1000000000000002", "user", "200000000000000004"), "");
    EXPECT_EQ(policies("1000000000000011", "user", "200000000000000005"), "System:AliyunResourceDirectoryFullAccess");
    EXPECT_EQ(policies("1000000000000021", "user", "200000000000000006"), "System:AliyunResourceDirectoryFullAccess");
    EXPECT_EQ(policies("1000000000000031", "user", "200000000000000007"), "System:AliyunResourceDirectoryFullAccess");
}

TEST_F(Seed, NumbersTheRolesInTableOrder) {
    const auto operator_role = role("1000000000000001", "operator");
    EXPECT_EQ(operator_role.role_id, "300000000000000001");
    EXPECT_EQ(operator_role.trust_policy, R"({"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"RAM":["acs:ram::1000000000000001:root"]}}],"Version":"1"})");
    EXPECT_EQ(policies("1000000000000001", "role", operator_role.role_id), "System:AliyunResourceDirectoryFullAccess");
    const std::pair<const char*, const char*> members[] = {{"1000000000000002", "1000000000000001"}, {"1000000000000003", "1000000000000001"},
                                                           {"1000000000000004", "1000000000000001"}, {"1000000000000012", "1000000000000011"},
                                                           {"1000000000000022", "1000000000000021"}, {"1000000000000032", "1000000000000031"}};
    std::int64_t id = 300'000'000'000'000'002;
    for (const auto& [account_id, manager] : members) {
        const auto access = role(account_id, store::access_role_name);
        EXPECT_EQ(access.role_id, std::to_string(id++)) << account_id;
        EXPECT_NE(access.trust_policy.find(fmt::format("acs:ram::{}:root", manager)), std::string::npos) << access.trust_policy;
        EXPECT_EQ(policies(account_id, "role", access.role_id), "System:AdministratorAccess");
    }
}

TEST_F(Seed, GivesTheServiceItsRoleInManagementAccountsAndMembers) {
    for (const char* id : {"1000000000000001", "1000000000000002", "1000000000000003", "1000000000000004", "1000000000000011", "1000000000000012", "1000000000000021",
                           "1000000000000022", "1000000000000031", "1000000000000032"})
        EXPECT_EQ(policies(id, "role", role(id, store::service_linked_role_name).role_id), "System:AliyunServiceRolePolicyForResourceDirectory") << id;
    EXPECT_EQ(role("1000000000000009", store::service_linked_role_name).role_id, "") << "in no directory";
}

TEST_F(Seed, HasTheDirectoriesWithEverythingDisabled) {
    const std::tuple<const char*, const char*, const char*, int> directories[] = {{"rd-sandbx", "1000000000000001", "r-sandbx", 3},
                                                                                  {"rd-otherx", "1000000000000011", "r-otherx", 1},
                                                                                  {"rd-unverf", "1000000000000021", "r-unverf", 1},
                                                                                  {"rd-namels", "1000000000000031", "r-namels", 1}};
    for (const auto& [id, manager, root, members] : directories) {
        const auto directory = read<store::Directory>([&, id = id](db::Transaction& tx) { return store::load_directory(tx, id); });
        EXPECT_EQ(directory.management_account_id, manager);
        EXPECT_EQ(directory.root_folder_id, root);
        EXPECT_EQ(directory.member_count, members) << id;
        EXPECT_EQ(directory.control_policy_status, "Disabled");
        EXPECT_EQ(directory.member_deletion_status, "Disabled");
        EXPECT_EQ(directory.display_name_sync_status, "Disabled");
    }
    const auto folder = read<store::Folder>([](db::Transaction& tx) { return store::find_folder(tx, "rd-sandbx", "fd-sandboxwrk").value_or(store::Folder{}); });
    EXPECT_EQ(folder.folder_name, "workloads");
    EXPECT_EQ(folder.path, "rd-sandbx/r-sandbx/fd-sandboxwrk");
}

TEST_F(Seed, PutsTheMembersWhereTheTableSays) {
    const auto blue = member("rd-sandbx", "1000000000000002");
    EXPECT_EQ(blue.path, "rd-sandbx/r-sandbx/1000000000000002");
    EXPECT_EQ(blue.type, "ResourceAccount");
    EXPECT_EQ(blue.status, "CreateSuccess");
    EXPECT_EQ(blue.account_name, "team-blue@rd-sandbx.aliyunid.com");
    EXPECT_EQ(phone_of(blue.phone_sealed, blue.account_id), "none");
    EXPECT_FALSE(account("1000000000000002").root_enabled);

    const auto red = member("rd-sandbx", "1000000000000003");
    EXPECT_EQ(red.path, "rd-sandbx/r-sandbx/fd-sandboxwrk/1000000000000003");
    EXPECT_EQ(phone_of(red.phone_sealed, red.account_id), "65-81230000");

    const auto joined = member("rd-sandbx", "1000000000000004");
    EXPECT_EQ(joined.type, "CloudAccount");
    EXPECT_EQ(joined.status, "InviteSuccess");
    EXPECT_EQ(joined.join_method, "invited");
    EXPECT_TRUE(account("1000000000000004").root_enabled);

    const std::tuple<const char*, const char*, const char*> others[] = {
        {"rd-otherx", "1000000000000012", "rd-otherx/r-otherx"}, {"rd-unverf", "1000000000000022", "rd-unverf/r-unverf"}, {"rd-namels", "1000000000000032", "rd-namels/r-namels"}};
    for (const auto& [directory, id, folder] : others) {
        const auto other = member(directory, id);
        EXPECT_EQ(other.path, fmt::format("{}/{}", folder, id));
        EXPECT_EQ(other.type, "ResourceAccount");
        EXPECT_EQ(phone_of(other.phone_sealed, id), "none");
    }
}

TEST_F(Seed, CountsTheBoundPhoneAsUsed) {
    const auto index = ring_.blind_index(phone::MobileNumber::parse("65-81230000")->reveal_e164());
    database_->write_and_wait([&](db::Transaction& tx) {
        EXPECT_FALSE(store::count_phone_use(tx, index, 1)) << "it has its one account";
        const auto unbound = store::unbind_phone(tx, "rd-sandbx", "1000000000000003", now_ms);
        EXPECT_EQ(unbound, index);
    });
}

TEST_F(Seed, SaysWhoseDatabaseItIs) {
    const auto fact = [&](std::string_view name) { return read<std::string>([&](db::Transaction& tx) { return store::find_fact(tx, name).value_or(""); }); };
    EXPECT_EQ(fact(store::fact_made_by), "sandbox");
    EXPECT_EQ(fact(store::fact_key_fingerprint), ring_.fingerprint());
    EXPECT_EQ(fact(store::fact_audit_origin), "test.example/audit");
}

TEST_F(Seed, HoldsNoSecretAndNoPhoneInClear) {
    std::string bytes;
    for (const auto& file : std::filesystem::directory_iterator(database_.directory())) {
        std::ifstream in(file.path(), std::ios::binary);
        bytes.append(std::istreambuf_iterator<char>(in), {});
    }
    EXPECT_NE(bytes.find("LTAIsandboxAdmin001"), std::string::npos) << "these are the right files";
    for (const char* secret : {"sandbox-root-secret", "sandbox-admin-secret", "sandbox-other-secret", "81230000", "81239999"})
        EXPECT_EQ(bytes.find(secret), std::string::npos) << secret;
}

TEST_F(Seed, FitsIntoADatabaseThatWasEmptied) {
    database_->write_and_wait([this](db::Transaction& tx) {
        store::delete_everything(tx);
        seed(tx, ring_, "test.example/audit", now_ms + 1);
    });
    EXPECT_EQ(account("1000000000000001").created_at_ms, now_ms + 1);
}

}  // namespace
}  // namespace openrd::sandbox
