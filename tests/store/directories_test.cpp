// The tree of a directory and who stands in it: store/directories, folders, members, tags.
#include "store/directories.hpp"
#include "store/accounts.hpp"
#include "store/engines.hpp"
#include "store/folders.hpp"
#include "store/members.hpp"
#include "store/tags.hpp"

#include <thread>

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

void add_directory(db::Transaction& tx, const std::string& id = "rd-1", const std::string& manager = "1") {
    store::insert_account(tx, {.account_id = manager, .account_name = manager});
    store::insert_directory(tx, {.directory_id = id, .management_account_id = manager, .root_folder_id = "r-" + id, .created_at_ms = 9});
}

store::Folder root(db::Transaction& tx, const std::string& id = "rd-1") { return store::find_folder(tx, id, "r-" + id).value(); }

bool add_folder(db::Transaction& tx, const store::Folder& parent, const std::string& id, const std::string& name) {
    store::Folder folder{.folder_id = id, .folder_name = name, .created_at_ms = 5};
    return store::insert_folder(tx, parent, folder);
}

store::Member member(const std::string& id, const std::string& display_name, const std::string& folder = "r-rd-1") {
    return {.directory_id = "rd-1",
            .account_id = id,
            .folder_id = folder,
            .account_name = id + "@example.test",
            .display_name = display_name,
            .joined_at_ms = 1,
            .modified_at_ms = 2,
            .payer_account_id = "1"};
}

std::vector<std::string> ids(const std::vector<store::Member>& members) {
    std::vector<std::string> result;
    for (const auto& m : members) result.push_back(m.account_id);
    return result;
}

std::vector<std::string> names(const std::vector<store::Folder>& folders) {
    std::vector<std::string> result;
    for (const auto& folder : folders) result.push_back(folder.folder_name);
    return result;
}

ON_EVERY_ENGINE(Directories);

TEST_P(Directories, BeginWithTheirRootAndTheirManager) {
    write([](db::Transaction& tx) { add_directory(tx); });
    read([](db::Transaction& tx) {
        const auto directory = store::load_directory(tx, "rd-1");
        EXPECT_EQ(directory.management_account_id, "1");
        EXPECT_EQ(directory.root_folder_id, "r-rd-1");
        EXPECT_EQ(directory.control_policy_status, "Disabled");
        EXPECT_EQ(directory.member_count, 0);
        EXPECT_EQ(directory.folder_count, 0);
        EXPECT_EQ(directory.created_at_ms, 9);
        EXPECT_FALSE(store::find_directory(tx, "rd-2"));
        EXPECT_FALSE(store::find_directory(tx, "RD-1"));
        EXPECT_THROW(store::load_directory(tx, "rd-2"), db::Error);
        const auto top = root(tx);
        EXPECT_EQ(top.parent_folder_id, std::nullopt);
        EXPECT_EQ(top.path, "rd-1/r-rd-1");
        EXPECT_EQ(top.depth, 0);
        EXPECT_EQ(store::find_account(tx, "1").value().directory_id, "rd-1");
        EXPECT_EQ(store::find_account(tx, "1").value().standing, store::standing_management);
    });
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::insert_directory(tx, {.directory_id = "rd-1", .management_account_id = "1", .root_folder_id = "r"}); }),
              db::Trouble::conflict);
}

ON_EVERY_ENGINE(Folders);

TEST_P(Folders, AreCountedInTheirParentAndDirectory) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        EXPECT_TRUE(add_folder(tx, root(tx), "fd-1", "One"));
        EXPECT_TRUE(add_folder(tx, store::find_folder(tx, "rd-1", "fd-1").value(), "fd-2", "Two"));
    });
    read([](db::Transaction& tx) {
        const auto two = store::find_folder(tx, "rd-1", "fd-2").value();
        EXPECT_EQ(two.parent_folder_id, "fd-1");
        EXPECT_EQ(two.depth, 2);
        EXPECT_EQ(two.path, "rd-1/r-rd-1/fd-1/fd-2");
        EXPECT_EQ(two.created_at_ms, 5);
        EXPECT_EQ(root(tx).subfolder_count, 1);
        EXPECT_EQ(store::load_directory(tx, "rd-1").folder_count, 2);
        EXPECT_FALSE(store::find_folder(tx, "rd-2", "fd-1"));
    });
}

TEST_P(Folders, HaveNamesOfTheirOwnInTheirParent) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        add_directory(tx, "rd-2", "2");
        EXPECT_TRUE(add_folder(tx, root(tx), "fd-1", "Name"));
        EXPECT_FALSE(add_folder(tx, root(tx), "fd-2", "Name"));
        EXPECT_TRUE(add_folder(tx, root(tx), "fd-3", "name")) << "another case is another name";
        EXPECT_TRUE(add_folder(tx, store::find_folder(tx, "rd-1", "fd-1").value(), "fd-4", "Name"));
        EXPECT_TRUE(add_folder(tx, root(tx, "rd-2"), "fd-1", "Name"));
        EXPECT_EQ(root(tx).subfolder_count, 2);
    });
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { add_folder(tx, root(tx), "fd-1", "Other"); }), db::Trouble::conflict) << "an id twice is no name twice";
}

TEST_P(Folders, ARootHasNoParentSoThatNoNameIsInItsWay) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        store::insert_root_folder(tx, "rd-1", "r-other", 1);
        EXPECT_EQ(store::find_folder(tx, "rd-1", "r-other").value().folder_name, "root");
    });
}

TEST_P(Folders, AreListedByTheBytesOfTheirNames) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        int n = 0;
        for (const char* name : {"b", "B", "ä", "a", "-", "😀", "Z"}) add_folder(tx, root(tx), "fd-" + std::to_string(++n), name);
    });
    read([](db::Transaction& tx) {
        const auto top = root(tx);
        EXPECT_THAT(names(store::list_subfolders(tx, top, {}, 0, 100)), ElementsAre("-", "B", "Z", "a", "b", "ä", "😀"));
        EXPECT_THAT(names(store::list_subfolders(tx, top, {}, 2, 3)), ElementsAre("Z", "a", "b"));
        EXPECT_THAT(names(store::list_subfolders(tx, top, {}, 7, 3)), IsEmpty());
        EXPECT_EQ(store::count_subfolders(tx, top, {}), 7);
        const store::FolderFilter named{.keyword = "b"}, tagged{.only = {"fd-1", "fd-7"}, .by_tags = true};
        EXPECT_THAT(names(store::list_subfolders(tx, top, named, 0, 100)), ElementsAre("B", "b"));
        EXPECT_THAT(names(store::list_subfolders(tx, top, named, 1, 1)), ElementsAre("b"));
        EXPECT_EQ(store::count_subfolders(tx, top, named), 2);
        EXPECT_THAT(names(store::list_subfolders(tx, top, tagged, 0, 100)), ElementsAre("Z", "b"));
        EXPECT_EQ(store::count_subfolders(tx, top, tagged), 2);
    });
}

ON_EVERY_ENGINE(Members);

TEST_P(Members, ComeBackAsTheyWentInAndAreCounted) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        add_folder(tx, root(tx), "fd-1", "One");
        auto m = member("2", "Ünïcode \xF0\x9F\x98\x80", "fd-1");
        m.type = store::cloud_account;
        m.join_method = "invited";
        EXPECT_EQ(store::insert_member(tx, m), store::NewMember::inserted);
    });
    read([](db::Transaction& tx) {
        const auto m = store::find_member(tx, "rd-1", "2").value();
        EXPECT_EQ(m.display_name, "Ünïcode \xF0\x9F\x98\x80");
        EXPECT_EQ(m.folder_id, "fd-1");
        EXPECT_EQ(m.account_name, "2@example.test");
        EXPECT_EQ(m.type, store::cloud_account);
        EXPECT_EQ(m.join_method, "invited");
        EXPECT_EQ(m.status, "CreateSuccess");
        EXPECT_EQ(m.joined_at_ms, 1);
        EXPECT_EQ(m.modified_at_ms, 2);
        EXPECT_EQ(m.payer_account_id, "1");
        EXPECT_EQ(m.deletion_status, std::nullopt);
        EXPECT_EQ(m.email_status, std::nullopt);
        EXPECT_EQ(m.phone_sealed, std::nullopt);
        EXPECT_EQ(m.path, "rd-1/r-rd-1/fd-1/2");
        EXPECT_EQ(store::find_member_path(tx, "rd-1", "2"), m.path);
        EXPECT_EQ(store::find_member_path(tx, "rd-1", "3"), "");
        EXPECT_EQ(store::find_member_path(tx, "rd-2", "2"), "");
        EXPECT_FALSE(store::find_member(tx, "rd-2", "2"));
        EXPECT_EQ(store::find_folder(tx, "rd-1", "fd-1").value().member_count, 1);
        EXPECT_EQ(store::load_directory(tx, "rd-1").member_count, 1);
    });
}

TEST_P(Members, AreToldWhichOfTheirNamesIsTaken) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        EXPECT_EQ(store::insert_member(tx, member("2", "Blue")), store::NewMember::inserted);
        EXPECT_EQ(store::insert_member(tx, member("3", "Blue")), store::NewMember::display_name_taken);
        auto other = member("3", "Red");
        other.account_name = "2@example.test";
        EXPECT_EQ(store::insert_member(tx, other), store::NewMember::account_name_taken);
        EXPECT_EQ(store::insert_member(tx, member("3", "blue")), store::NewMember::inserted) << "another case is another name";
        EXPECT_EQ(store::load_directory(tx, "rd-1").member_count, 2) << "who was refused is not counted";
    });
}

TEST_P(Members, HaveOnePhoneAtATime) {
    const store::PhoneBinding binding{
        .phone_index = "\0index"s, .phone_sealed = "\xFFsealed\0"s, .bound_by = "acs:ram::1:user/a", .verification_id = std::string(16, '\0'), .bound_at_ms = 50};
    write([&](db::Transaction& tx) {
        add_directory(tx);
        store::insert_member(tx, member("2", "Blue"));
        EXPECT_EQ(store::unbind_phone(tx, "rd-1", "2", 40), std::nullopt);
        EXPECT_FALSE(store::bind_phone(tx, "rd-1", "3", binding)) << "nobody";
        EXPECT_FALSE(store::bind_phone(tx, "rd-2", "2", binding)) << "of another directory";
        EXPECT_TRUE(store::bind_phone(tx, "rd-1", "2", binding));
        EXPECT_FALSE(store::bind_phone(tx, "rd-1", "2", binding));
    });
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_member(tx, "rd-1", "2"); }).value().phone_sealed, binding.phone_sealed);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_member(tx, "rd-1", "2"); }).value().modified_at_ms, 50);
    write([&](db::Transaction& tx) {
        EXPECT_EQ(store::unbind_phone(tx, "rd-1", "2", 60), binding.phone_index);
        EXPECT_EQ(store::unbind_phone(tx, "rd-1", "2", 70), std::nullopt);
        EXPECT_TRUE(store::bind_phone(tx, "rd-1", "2", binding));
    });
}

TEST_P(Members, BindOnePhoneWhenManyTryAtOnce) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        store::insert_member(tx, member("2", "Blue"));
    });
    std::atomic<int> bound{0};
    std::vector<std::thread> all;
    for (int i = 0; i < 8; ++i)
        all.emplace_back([&, i] {
            bool mine = false;
            engine().write_and_wait([&](db::Transaction& tx) { mine = store::bind_phone(tx, "rd-1", "2", {.phone_index = std::to_string(i), .phone_sealed = "x"}); });
            bound += mine;
        });
    for (auto& one : all) one.join();
    EXPECT_EQ(bound, 1);
}

TEST_P(Members, AreListedInPagesAndByWhatIsAsked) {
    write([](db::Transaction& tx) {
        add_directory(tx);
        add_directory(tx, "rd-2", "9");
        add_folder(tx, root(tx), "fd-1", "One");
        for (const char* id : {"5", "3", "4", "2"}) store::insert_member(tx, member(id, "Team-"s + id + (*id > '3' ? " Ünïcode" : " PLAIN_%"), *id == '3' ? "fd-1" : "r-rd-1"));
        store::insert_member(tx, [] {
            auto m = member("6", "Elsewhere", "r-rd-2");
            m.directory_id = "rd-2";
            return m;
        }());
    });
    read([](db::Transaction& tx) {
        const auto list = [&](const store::MemberFilter& filter, const std::string& after, std::int64_t offset, std::int64_t limit) {
            return ids(store::list_members(tx, "rd-1", filter, after, offset, limit));
        };
        EXPECT_THAT(list({}, "", 0, 100), ElementsAre("2", "3", "4", "5"));
        EXPECT_THAT(list({}, "", 1, 2), ElementsAre("3", "4"));
        EXPECT_THAT(list({}, "3", 0, 100), ElementsAre("4", "5"));
        EXPECT_THAT(list({}, "5", 0, 100), IsEmpty());
        EXPECT_THAT(list({.folder_id = "fd-1"}, "", 0, 100), ElementsAre("3"));
        EXPECT_THAT(list({.keyword = "plain"}, "", 0, 100), ElementsAre("2", "3"));
        EXPECT_THAT(list({.keyword = "team-"}, "", 3, 100), ElementsAre("5"));
        EXPECT_THAT(list({.keyword = "_%"}, "", 0, 100), ElementsAre("2", "3")) << "no wildcards";
        EXPECT_THAT(list({.keyword = "%"}, "", 0, 1), ElementsAre("2"));
        EXPECT_THAT(list({.keyword = "a%"}, "", 0, 100), IsEmpty());
        EXPECT_THAT(list({.folder_id = "r-rd-1", .keyword = "Ünïcode"}, "", 0, 100), ElementsAre("4", "5"));
        EXPECT_THAT(list({.only = {"2", "4", "7"}, .by_tags = true}, "", 0, 100), ElementsAre("2", "4"));
        EXPECT_THAT(list({.only = {"2", "4"}, .by_tags = true}, "2", 0, 100), ElementsAre("4"));
        EXPECT_THAT(list({.folder_id = "fd-1", .only = {"2", "3", "4"}, .by_tags = true}, "", 0, 100), ElementsAre("3"));
        EXPECT_EQ(store::count_members(tx, "rd-1", {.keyword = "plain"}), 2);
        EXPECT_EQ(store::count_members(tx, "rd-1", {.folder_id = "fd-1", .keyword = "plain"}), 1);
        EXPECT_EQ(store::count_members(tx, "rd-1", {.only = {"2", "3"}, .by_tags = true}), 2);
    });
}

ON_EVERY_ENGINE(Tags);

TEST_P(Tags, ArePutReadAndLookedFor) {
    write([](db::Transaction& tx) {
        store::put_tag(tx, "rd-1", store::tagged_account, "2", "Key", "value");
        store::put_tag(tx, "rd-1", store::tagged_account, "2", "key", "Value");
        store::put_tag(tx, "rd-1", store::tagged_account, "2", "key", "ä😀");
        store::put_tag(tx, "rd-1", store::tagged_account, "2", "empty", "");
        store::put_tag(tx, "rd-1", store::tagged_account, "10", "key", "ä😀");
        store::put_tag(tx, "rd-1", store::tagged_folder, "2", "key", "folder");
        store::put_tag(tx, "rd-2", store::tagged_account, "7", "key", "ä😀");
    });
    read([](db::Transaction& tx) {
        EXPECT_THAT(store::tags_of(tx, "rd-1", store::tagged_account, "2"), ElementsAre(std::pair("Key"s, "value"s), std::pair("empty"s, ""s), std::pair("key"s, "ä😀"s)));
        EXPECT_THAT(store::tags_of(tx, "rd-1", store::tagged_account, "3"), IsEmpty());
        const auto having = [&](const store::TagList& wanted) { return store::ids_with_tags(tx, "rd-1", store::tagged_account, wanted); };
        EXPECT_THAT(having({{"key", ""}}), ElementsAre("10", "2"));
        EXPECT_THAT(having({{"key", "ä😀"}, {"Key", "value"}}), ElementsAre("2"));
        EXPECT_THAT(having({{"key", "Ä😀"}}), IsEmpty());
        EXPECT_THAT(having({{"KEY", ""}}), IsEmpty());
        EXPECT_THAT(having({}), IsEmpty());
    });
}

}  // namespace
}  // namespace openrd::tests
