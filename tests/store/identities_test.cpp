// Accounts, who they are called by, and what they may: store/accounts, access_keys, identities, access_roles, policies.
#include "store/identities.hpp"
#include "store/access_keys.hpp"
#include "store/access_roles.hpp"
#include "store/accounts.hpp"
#include "store/engines.hpp"
#include "store/policies.hpp"

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ON_EVERY_ENGINE(Accounts);

store::Account account(const std::string& id) {
    return {.account_id = id,
            .account_name = id + "@example.test",
            .display_name = "Ünïcode \xF0\x9F\x98\x80 " + id,
            .email = "Mixed.Case@Example.Test",
            .site = "international",
            .enterprise_name = "中文 Ltd.",
            .created_at_ms = 1'700'000'000'123};
}

TEST_P(Accounts, ComeBackAsTheyWentIn) {
    auto full = account("1000000000000001");
    full.standing = store::standing_member;
    full.directory_id = "rd-1";
    full.enterprise_state = store::enterprise_verified;
    full.root_enabled = false;
    full.phone_sealed = "\0sealed\xFF"s;
    write([&](db::Transaction& tx) {
        store::insert_account(tx, full);
        store::insert_account(tx, account("1000000000000002"));
    });
    const auto found = read([](db::Transaction& tx) { return store::find_account(tx, "1000000000000001"); }).value();
    EXPECT_EQ(found.account_name, full.account_name);
    EXPECT_EQ(found.display_name, full.display_name);
    EXPECT_EQ(found.email, full.email);
    EXPECT_EQ(found.site, full.site);
    EXPECT_EQ(found.standing, full.standing);
    EXPECT_EQ(found.directory_id, full.directory_id);
    EXPECT_EQ(found.enterprise_name, full.enterprise_name);
    EXPECT_EQ(found.enterprise_state, full.enterprise_state);
    EXPECT_FALSE(found.root_enabled);
    EXPECT_EQ(found.phone_sealed, full.phone_sealed);
    EXPECT_EQ(found.created_at_ms, full.created_at_ms);
    const auto bare = read([](db::Transaction& tx) { return store::find_account(tx, "1000000000000002"); }).value();
    EXPECT_EQ(bare.directory_id, std::nullopt);
    EXPECT_EQ(bare.phone_sealed, std::nullopt);
    EXPECT_TRUE(bare.root_enabled);
    EXPECT_FALSE(read([](db::Transaction& tx) { return store::find_account(tx, "1000000000000003"); }));
}

TEST_P(Accounts, AreThereOnce) {
    write([](db::Transaction& tx) { store::insert_account(tx, account("1")); });
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::insert_account(tx, account("1")); }), db::Trouble::conflict);
}

TEST_P(Accounts, ChangeTheirStandingAndTheirEnterprise) {
    write([](db::Transaction& tx) {
        store::insert_account(tx, account("1"));
        store::set_standing(tx, "1", store::standing_management, "rd-1");
        EXPECT_TRUE(store::set_enterprise_state(tx, "1", store::enterprise_withdrawn));
        EXPECT_FALSE(store::set_enterprise_state(tx, "2", store::enterprise_withdrawn));
    });
    auto found = read([](db::Transaction& tx) { return store::find_account(tx, "1"); }).value();
    EXPECT_EQ(found.standing, store::standing_management);
    EXPECT_EQ(found.directory_id, "rd-1");
    EXPECT_EQ(found.enterprise_state, store::enterprise_withdrawn);
    write([](db::Transaction& tx) { store::set_standing(tx, "1", store::standing_none, std::nullopt); });
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_account(tx, "1"); }).value().directory_id, std::nullopt);
}

TEST_P(Accounts, AreListedInPagesByTheirIds) {
    write([](db::Transaction& tx) {
        for (const char* id : {"3", "1", "2", "10"}) store::insert_account(tx, account(id));
    });
    const auto page = [&](const std::string& after, std::int64_t limit) {
        std::vector<std::string> ids;
        for (const auto& found : read([&](db::Transaction& tx) { return store::list_accounts(tx, after, limit); })) ids.push_back(found.account_id);
        return ids;
    };
    EXPECT_THAT(page("", 3), ElementsAre("1", "10", "2"));
    EXPECT_THAT(page("2", 3), ElementsAre("3"));
    EXPECT_THAT(page("3", 3), IsEmpty());
}

ON_EVERY_ENGINE(AccessKeys);

TEST_P(AccessKeys, ComeBackAsTheyWentIn) {
    const store::AccessKey key{.access_key_id = "LTAI1", .account_id = "1", .user_id = "", .secret_sealed = "\0\x01\xFF"s, .created_at_ms = 7};
    write([&](db::Transaction& tx) { store::insert_access_key(tx, key); });
    const auto found = read([](db::Transaction& tx) { return store::find_access_key(tx, "LTAI1"); }).value();
    EXPECT_EQ(found.account_id, "1");
    EXPECT_EQ(found.user_id, "");
    EXPECT_EQ(found.secret_sealed, key.secret_sealed);
    EXPECT_EQ(found.status, store::key_active);
    EXPECT_EQ(found.created_at_ms, 7);
    EXPECT_EQ(trouble_of([&](db::Transaction& tx) { store::insert_access_key(tx, key); }), db::Trouble::conflict);
}

TEST_P(AccessKeys, AreFoundByTheirVeryBytes) {
    write([](db::Transaction& tx) { store::insert_access_key(tx, {.access_key_id = "LTAIa", .account_id = "1"}); });
    for (const auto& other : {"LTAIA"s, "ltaia"s, "LTAIa "s, "LTAI"s, ""s, "LTAIa\0"s, "LTAI\xFF"s})
        EXPECT_FALSE(read([&](db::Transaction& tx) { return store::find_access_key(tx, other); })) << other;
}

TEST_P(AccessKeys, AreListedByTheirOwnersAndDisabled) {
    write([](db::Transaction& tx) {
        store::insert_access_key(tx, {.access_key_id = "LTAI3", .account_id = "1", .user_id = "20"});
        store::insert_access_key(tx, {.access_key_id = "LTAI2", .account_id = "1", .user_id = "20"});
        store::insert_access_key(tx, {.access_key_id = "LTAI9", .account_id = "1", .user_id = ""});
        store::insert_access_key(tx, {.access_key_id = "LTAI1", .account_id = "2", .user_id = ""});
        EXPECT_TRUE(store::set_access_key_status(tx, "LTAI2", store::key_inactive));
        EXPECT_FALSE(store::set_access_key_status(tx, "LTAI0", store::key_inactive));
    });
    std::vector<std::string> listed;
    for (const auto& key : read([](db::Transaction& tx) { return store::list_access_keys(tx, "1"); })) listed.push_back(key.access_key_id + " " + key.status);
    EXPECT_THAT(listed, ElementsAre("LTAI9 Active", "LTAI2 Inactive", "LTAI3 Active"));
}

ON_EVERY_ENGINE(Users);

TEST_P(Users, AreFoundByIdAndByNameWithinTheirAccount) {
    write([](db::Transaction& tx) {
        store::insert_user(tx, {.account_id = "1", .user_id = "20", .user_name = "Alice", .created_at_ms = 3});
        store::insert_user(tx, {.account_id = "1", .user_id = "21", .user_name = "alice"});
        store::insert_user(tx, {.account_id = "2", .user_id = "20", .user_name = "Alice"});
    });
    read([](db::Transaction& tx) {
        EXPECT_EQ(store::find_user(tx, "1", "20").value().user_name, "Alice");
        EXPECT_EQ(store::find_user(tx, "1", "20").value().created_at_ms, 3);
        EXPECT_FALSE(store::find_user(tx, "2", "21"));
        EXPECT_EQ(store::find_user_by_name(tx, "1", "alice").value().user_id, "21") << "names of users are told apart by case";
        EXPECT_EQ(store::find_user_by_name(tx, "2", "Alice").value().account_id, "2");
        EXPECT_FALSE(store::find_user_by_name(tx, "2", "alice"));
    });
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::insert_user(tx, {.account_id = "1", .user_id = "22", .user_name = "Alice"}); }), db::Trouble::conflict);
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::insert_user(tx, {.account_id = "1", .user_id = "20", .user_name = "Bob"}); }), db::Trouble::conflict);
}

ON_EVERY_ENGINE(Roles);

TEST_P(Roles, AreFoundByNameWithoutRegardToCase) {
    write([](db::Transaction& tx) {
        store::insert_role(tx,
                           {.account_id = "1", .role_id = "30", .role_name = "Auditor", .trust_policy = "{}", .description = "d", .max_session_seconds = 7200, .created_at_ms = 4});
    });
    read([](db::Transaction& tx) {
        for (const auto& found : {store::find_role(tx, "1", "30"), store::find_role_by_name(tx, "1", "AUDITOR"), store::find_role_by_name(tx, "1", "auditor")}) {
            ASSERT_TRUE(found);
            EXPECT_EQ(found->role_name, "Auditor");
            EXPECT_EQ(found->trust_policy, "{}");
            EXPECT_EQ(found->description, "d");
            EXPECT_EQ(found->max_session_seconds, 7200);
            EXPECT_EQ(found->created_at_ms, 4);
        }
        EXPECT_FALSE(store::find_role(tx, "2", "30"));
        EXPECT_FALSE(store::find_role_by_name(tx, "2", "Auditor"));
        EXPECT_FALSE(store::find_role_by_name(tx, "1", "Auditors"));
    });
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::insert_role(tx, {.account_id = "1", .role_id = "31", .role_name = "auditor"}); }), db::Trouble::conflict);
}

TEST_P(Roles, OfADirectoryComeWithTheirPolicies) {
    write([](db::Transaction& tx) {
        store::insert_member_roles(tx, "2", "1", 5, {"30", "31"});
        store::insert_service_linked_role(tx, "1", 5, "32");
    });
    read([](db::Transaction& tx) {
        EXPECT_EQ(store::find_role_by_name(tx, "2", store::access_role_name).value().role_id, "30");
        EXPECT_EQ(store::find_role_by_name(tx, "2", store::service_linked_role_name).value().role_id, "31");
        EXPECT_EQ(store::find_role_by_name(tx, "1", store::service_linked_role_name).value().role_id, "32");
        const auto attached = store::attached_policies(tx, "2", store::principal_role, "30");
        ASSERT_EQ(attached.size(), 1U);
        EXPECT_EQ(attached[0].policy_name, "AdministratorAccess");
    });
}

ON_EVERY_ENGINE(Policies);

TEST_P(Policies, AreAttachedOnceAndComeInTheOrderOfTheirNames) {
    write([](db::Transaction& tx) {
        store::insert_policy(tx, "1", "b", R"({"b":"ü"})", 1);
        store::insert_policy(tx, "1", "B", "{}", 1);
        store::insert_policy(tx, "2", "b", "another's", 1);
        for (int i = 0; i < 2; ++i) store::attach_policy(tx, "1", store::principal_user, "20", store::policy_of_account, "b", 1);
        store::attach_policy(tx, "1", store::principal_user, "20", store::policy_of_account, "B", 1);
        store::attach_policy(tx, "1", store::principal_user, "20", store::policy_of_system, "b", 1);
        store::attach_policy(tx, "1", store::principal_role, "20", store::policy_of_account, "b", 1);
    });
    std::vector<std::string> found;
    for (const auto& policy : read([](db::Transaction& tx) { return store::attached_policies(tx, "1", store::principal_user, "20"); }))
        found.push_back(policy.policy_type + " " + policy.policy_name + " " + policy.document);
    EXPECT_THAT(found, ElementsAre("Custom B {}", R"(Custom b {"b":"ü"})", "System b "));
    EXPECT_THAT(read([](db::Transaction& tx) { return store::attached_policies(tx, "2", store::principal_user, "20"); }), IsEmpty());
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::insert_policy(tx, "1", "b", "again", 1); }), db::Trouble::conflict);
}

}  // namespace
}  // namespace openrd::tests
