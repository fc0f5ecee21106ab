// What stands under the key file's keys: store/key_uses, resealing, erasure.
#include "store/access_keys.hpp"
#include "store/accounts.hpp"
#include "store/engines.hpp"
#include "store/erasure.hpp"
#include "store/key_uses.hpp"
#include "store/members.hpp"
#include "store/outbox.hpp"
#include "store/outbox_log.hpp"
#include "store/rates.hpp"
#include "store/resealing.hpp"
#include "store/subjects.hpp"
#include "store/verifications.hpp"

#include <map>

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using store::SealedColumn;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string old_index = "\0old"s + std::string(28, 'o'), new_index = "\xFFnew"s + std::string(28, 'n');

// Account 2 of rd-1 has a phone in every place where one can be; account 3 has none.
void fill(db::Transaction& tx) {
    for (const auto* id : {"2", "3"}) {
        store::insert_account(tx, {.account_id = id, .account_name = id + "@example.test"s, .display_name = id, .email = "e@example.test", .site = "international"});
        store::insert_member(tx,
                             {.directory_id = "rd-1", .account_id = id, .folder_id = "r-1", .account_name = id + "@example.test"s, .display_name = id, .payer_account_id = "1"});
    }
    store::insert_account(tx, {.account_id = "4", .account_name = "4@example.test", .display_name = "4", .email = {}, .site = "international", .phone_sealed = "own\0phone"s});
    ASSERT_TRUE(store::bind_phone(tx, "rd-1", "2", {.phone_index = old_index, .phone_sealed = "member\0phone"s, .bound_by = "me", .verification_id = "v", .bound_at_ms = 5}));
    ASSERT_TRUE(store::count_phone_use(tx, old_index, 1));
    store::put_verification(tx, {.account_id = "2",
                                 .directory_id = "rd-1",
                                 .verification_id = std::string(16, 'v'),
                                 .code_key_id = 7,
                                 .phone_index = old_index,
                                 .phone_sealed = "verification\0phone"s,
                                 .created_by = "me",
                                 .created_at_ms = 1,
                                 .expires_at_ms = 100});
    store::insert_message(tx, {.account_id = "2",
                               .message_id = "m-1",
                               .purpose = "bind",
                               .verification_id = std::string(16, 'v'),
                               .code_key_id = 7,
                               .phone_sealed = "message\0phone"s,
                               .expires_at_ms = 100,
                               .created_at_ms = 1});
    store::insert_subject(tx, {.account_id = "1", .phone_index = old_index, .subject_ref = "ref-1", .key_sealed = "subject\0key"s, .created_at_ms = 1});
    store::insert_access_key(tx, {.access_key_id = "LTAI-A", .account_id = "1", .user_id = {}, .secret_sealed = "secret\0sealed"s, .created_at_ms = 1});
}

ON_EVERY_ENGINE(KeyUses);

TEST_P(KeyUses, AreTheFirstKeyUntilTheyAreChanged) {
    const auto uses = [&] { return read([](db::Transaction& tx) { return store::load_key_uses(tx); }); };
    EXPECT_EQ(uses(), keys::Uses());
    EXPECT_EQ(write([](db::Transaction& tx) { return store::hold_checkpoint_key(tx); }), 1u);
    EXPECT_EQ(uses(), keys::Uses()) << "who holds it changes nothing";
    const keys::Uses changed{.code = 2, .index = 3, .encryption = 4, .checkpoint = 4'294'967'295U};
    write([&](db::Transaction& tx) { store::put_key_uses(tx, changed); });
    reopen();
    EXPECT_EQ(uses(), changed);
    EXPECT_EQ(write([](db::Transaction& tx) { return store::hold_checkpoint_key(tx); }), changed.checkpoint);
}

TEST_P(KeyUses, HoldTheNotesOfTheLogsKeyInTheirOrder) {
    const auto notes = [](db::Transaction& tx) { return store::list_key_changes(tx); };
    EXPECT_THAT(read(notes), IsEmpty());
    for (int i = 0; i < 11; ++i) write([&](db::Transaction& tx) { store::append_key_change(tx, "note " + std::to_string(i) + "\nof two lines\n"); });
    const auto all = read(notes);
    ASSERT_EQ(all.size(), 11u);
    EXPECT_EQ(all[0], "note 0\nof two lines\n");
    EXPECT_EQ(all[10], "note 10\nof two lines\n") << "ten comes after nine";
}

ON_EVERY_ENGINE(Resealing);

TEST_P(Resealing, FindsEverySealedColumnAndReplacesWhatIsStillThere) {
    write(fill);
    const std::map<SealedColumn, std::string> expected{{SealedColumn::access_key, "secret\0sealed"s},    {SealedColumn::account_phone, "own\0phone"s},
                                                       {SealedColumn::member_phone, "member\0phone"s},   {SealedColumn::verification_phone, "verification\0phone"s},
                                                       {SealedColumn::message_phone, "message\0phone"s}, {SealedColumn::subject_key, "subject\0key"s}};
    for (const auto column : store::sealed_columns) {
        const auto list = [&](const store::SealedValue& after) { return read([&](db::Transaction& tx) { return store::list_sealed(tx, column, after, 10); }); };
        const auto found = list({});
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].sealed, expected.at(column));
        EXPECT_THAT(list(found[0]), IsEmpty()) << "goes on after it";
        EXPECT_TRUE(write([&](db::Transaction& tx) { return store::replace_sealed(tx, column, found[0], "anew\0"s); }));
        EXPECT_EQ(list({}).at(0).sealed, "anew\0"s);
        EXPECT_FALSE(write([&](db::Transaction& tx) { return store::replace_sealed(tx, column, found[0], "late"); })) << "it is another by now";
        EXPECT_EQ(list({}).at(0).sealed, "anew\0"s);
    }
}

TEST_P(Resealing, GoesThroughItsRowsInPages) {
    write([](db::Transaction& tx) {
        for (const auto* id : {"LTAI-b", "LTAI-A", "LTAI-a", "LTAI-B"})
            store::insert_access_key(tx, {.access_key_id = id, .account_id = "1", .user_id = {}, .secret_sealed = "s"s, .created_at_ms = 1});
    });
    std::vector<std::string> order;
    store::SealedValue after;
    for (;;) {
        const auto page = read([&](db::Transaction& tx) { return store::list_sealed(tx, SealedColumn::access_key, after, 3); });
        for (const auto& one : page) order.push_back(one.first);
        if (page.size() < 3) break;
        after = page.back();
    }
    EXPECT_THAT(order, ElementsAre("LTAI-A", "LTAI-B", "LTAI-a", "LTAI-b"));
}

TEST_P(Resealing, MovesAnIndexWithTheUseAndTheSubject) {
    write(fill);
    const auto indexed = [&](store::IndexedRow kind) { return read([&](db::Transaction& tx) { return store::list_indexed(tx, kind, {}, 10); }); };
    const auto uses = [&] { return read([](db::Transaction& tx) { return store::list_phone_uses(tx, {}, 10); }); };
    const auto member = indexed(store::IndexedRow::member).at(0), verification = indexed(store::IndexedRow::verification).at(0);
    EXPECT_EQ(member.first + " " + member.second, "rd-1 2");
    EXPECT_EQ(member.phone_index, old_index);
    EXPECT_EQ(member.phone_sealed, "member\0phone"s);
    EXPECT_EQ(verification.first + " " + verification.second, "2 "s + std::string(store::purpose_bind));
    EXPECT_EQ(verification.account_id + " " + verification.directory_id, "2 rd-1");
    ASSERT_EQ(uses().size(), 1u);

    EXPECT_TRUE(write([&](db::Transaction& tx) { return store::move_index(tx, store::IndexedRow::member, member, "1", new_index); }));
    EXPECT_TRUE(write([&](db::Transaction& tx) { return store::move_index(tx, store::IndexedRow::verification, verification, "1", new_index); }));
    for (const auto kind : {store::IndexedRow::member, store::IndexedRow::verification}) {
        ASSERT_EQ(indexed(kind).size(), 1u);
        EXPECT_EQ(indexed(kind)[0].phone_index, new_index);
        const auto& seen = kind == store::IndexedRow::member ? member : verification;
        EXPECT_FALSE(write([&](db::Transaction& tx) { return store::move_index(tx, kind, seen, "1", "third"); })) << "it was moved already";
    }
    ASSERT_EQ(uses().size(), 1u) << "the old one is not used any more";
    EXPECT_EQ(uses()[0].phone_index, new_index);
    EXPECT_EQ(uses()[0].uses, 1);
    const auto subject = [&](const std::string& index) { return read([&](db::Transaction& tx) { return store::find_subject(tx, "1", index); }); };
    EXPECT_FALSE(subject(old_index));
    EXPECT_EQ(subject(new_index).value().subject_ref, "ref-1");
}

TEST_P(Resealing, LeavesASubjectThatIsThereUnderBothIndexes) {
    write(fill);
    write([](db::Transaction& tx) { store::insert_subject(tx, {.account_id = "1", .phone_index = new_index, .subject_ref = "ref-2", .key_sealed = "k", .created_at_ms = 1}); });
    const auto member = read([](db::Transaction& tx) { return store::list_indexed(tx, store::IndexedRow::member, {}, 1); }).at(0);
    EXPECT_TRUE(write([&](db::Transaction& tx) { return store::move_index(tx, store::IndexedRow::member, member, "1", new_index); }));
    const auto list = [&] { return read([](db::Transaction& tx) { return store::list_subject_indexes(tx, {}, 10); }); };
    ASSERT_EQ(list().size(), 2u);
    EXPECT_EQ(list()[0].second, "ref-1");
    EXPECT_EQ(list()[0].phone_index, old_index);
    EXPECT_EQ(list()[1].second, "ref-2");
    EXPECT_TRUE(write([&](db::Transaction& tx) { return store::unlink_subject(tx, list()[0]); }));
    EXPECT_FALSE(read([](db::Transaction& tx) { return store::find_subject(tx, "1", old_index); })) << "no number finds it";
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_subject_by_ref(tx, "1", "ref-1"); }).value().key_sealed, "subject\0key"s) << "and it can be read";
    auto gone = list()[1];
    gone.phone_index = "another";
    EXPECT_FALSE(write([&](db::Transaction& tx) { return store::unlink_subject(tx, gone); }));
}

TEST_P(Resealing, ForgetsAPhoneOnlyWhenNobodyUsesIt) {
    write([](db::Transaction& tx) {
        store::count_phone_use(tx, old_index, 9);
        store::count_phone_use(tx, new_index, 9);
        store::release_phone_use(tx, old_index);
        store::delete_unused_phone(tx, old_index);
        store::delete_unused_phone(tx, new_index);
    });
    const auto left = read([](db::Transaction& tx) { return store::list_phone_uses(tx, {}, 10); });
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left[0].phone_index, new_index);
    EXPECT_THAT(read([&](db::Transaction& tx) { return store::list_phone_uses(tx, left[0], 10); }), IsEmpty());
}

TEST_P(Resealing, CountsTheCodesThatCanStillBeUsed) {
    write(fill);
    const auto under_way = [&](std::uint32_t key, std::int64_t now_ms) { return read([&](db::Transaction& tx) { return store::count_codes_under_way(tx, key, now_ms); }); };
    EXPECT_EQ(under_way(7, 99), 2) << "the code, and its message";
    EXPECT_EQ(under_way(7, 100), 0) << "its time is up";
    EXPECT_EQ(under_way(6, 99), 0);
    write([](db::Transaction& tx) { EXPECT_TRUE(store::consume_verification(tx, "2", store::purpose_bind, std::string(16, 'v'), 50)); });
    EXPECT_EQ(under_way(7, 99), 1);
}

ON_EVERY_ENGINE(Erasure);

TEST_P(Erasure, TakesWhatLivesAndLeavesOthers) {
    write(fill);
    write([](db::Transaction& tx) {
        store::insert_message(tx, {.account_id = "3", .message_id = "m-3", .purpose = "bind", .verification_id = "v", .phone_sealed = "s", .expires_at_ms = 9});
    });
    const auto erase = [&](const std::string& id, const std::string& directory) {
        return write([&](db::Transaction& tx) { return store::erase_live_data(tx, id, directory, 77); });
    };
    const auto erased = erase("2", "rd-1");
    EXPECT_EQ(erased.phones, 1);
    EXPECT_EQ(erased.verifications, 1);
    EXPECT_EQ(erased.messages, 1);
    EXPECT_THAT(erased.phone_indexes, ElementsAre(old_index, old_index));
    EXPECT_FALSE(erased.nothing());
    read([](db::Transaction& tx) {
        EXPECT_FALSE(store::find_verification(tx, "2", store::purpose_bind));
        EXPECT_FALSE(store::find_message(tx, "2", "m-1"));
        EXPECT_THAT(store::list_message_events(tx, "2", "m-1"), IsEmpty());
        EXPECT_TRUE(store::find_message(tx, "3", "m-3")) << "another's stays";
        EXPECT_THAT(store::list_indexed(tx, store::IndexedRow::member, {}, 10), IsEmpty());
        EXPECT_EQ(store::list_phone_uses(tx, {}, 10).at(0).uses, 0);
    });
    EXPECT_TRUE(erase("2", "rd-1").nothing()) << "once more finds nothing";
    EXPECT_EQ(erase("4", "").phones, 1) << "the phone of an account outside of every directory";
    EXPECT_FALSE(read([](db::Transaction& tx) { return store::find_account(tx, "4"); }).value().phone_sealed);
}

TEST_P(Erasure, DestroysTheKeyOfASubjectOnce) {
    write(fill);
    const auto destroy = [&](const std::string& log, const std::string& ref) { return write([&](db::Transaction& tx) { return store::destroy_subject(tx, log, ref, 88); }); };
    EXPECT_FALSE(destroy("2", "ref-1")) << "another log's";
    EXPECT_EQ(read([](db::Transaction& tx) { return store::count_destroyed_subjects(tx); }), 0);
    EXPECT_TRUE(destroy("1", "ref-1"));
    EXPECT_FALSE(destroy("1", "ref-1"));
    EXPECT_EQ(read([](db::Transaction& tx) { return store::count_destroyed_subjects(tx); }), 1);
    read([](db::Transaction& tx) {
        EXPECT_FALSE(store::find_subject(tx, "1", old_index)) << "nor is it known whose it was";
        EXPECT_FALSE(store::find_subject_by_ref(tx, "1", "ref-1").value().key_sealed);
        EXPECT_THAT(store::list_subject_indexes(tx, {}, 10), IsEmpty());
        EXPECT_THAT(store::list_sealed(tx, SealedColumn::subject_key, {}, 10), IsEmpty());
    });
    write([](db::Transaction& tx) { store::insert_subject(tx, {.account_id = "1", .phone_index = old_index, .subject_ref = "ref-9", .key_sealed = "k", .created_at_ms = 1}); });
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_subject(tx, "1", old_index); }).value().subject_ref, "ref-9") << "the number may come again";
}

}  // namespace
}  // namespace openrd::tests
