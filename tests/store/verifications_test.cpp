// Codes and what guards them, whose data they are: store/verifications, rates, subjects.
#include "store/verifications.hpp"

#include "keys/ring.hpp"
#include "store/engines.hpp"
#include "store/everything.hpp"
#include "store/facts.hpp"
#include "store/outbox.hpp"
#include "store/rates.hpp"
#include "store/subjects.hpp"

#include <atomic>
#include <thread>

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string code_id = "\0\x01\xFF"s + std::string(13, 'v');

store::Verification pending(const std::string& account = "2") {
    return {.account_id = account,
            .directory_id = "rd-1",
            .verification_id = code_id,
            .code_key_id = 3,
            .phone_index = "\0index"s,
            .phone_sealed = "sealed\0"s,
            .sends = 1,
            .last_sent_at_ms = 1000,
            .created_by = "acs:ram::1:user/a",
            .created_at_ms = 1000,
            .expires_at_ms = 601'000,
            .day = 20'000,
            .sends_of_day = 2};
}

void run_at_once(int count, const std::function<void(int)>& work) {
    std::vector<std::thread> all;
    for (int i = 0; i < count; ++i) all.emplace_back(work, i);
    for (auto& one : all) one.join();
}

ON_EVERY_ENGINE(Verifications);

TEST_P(Verifications, ComeBackAsTheyWentInAndAreReplaced) {
    write([](db::Transaction& tx) { store::put_verification(tx, pending()); });
    const auto find = [](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind); };
    const auto found = read(find).value();
    EXPECT_EQ(found.directory_id, "rd-1");
    EXPECT_EQ(found.verification_id, code_id);
    EXPECT_EQ(found.code_key_id, 3);
    EXPECT_EQ(found.phone_index, "\0index"s);
    EXPECT_EQ(found.phone_sealed, "sealed\0"s);
    EXPECT_EQ(found.state, store::verification_pending);
    EXPECT_EQ(found.max_attempts, 5);
    EXPECT_EQ(found.sends, 1);
    EXPECT_EQ(found.last_sent_at_ms, 1000);
    EXPECT_EQ(found.created_by, "acs:ram::1:user/a");
    EXPECT_EQ(found.created_at_ms, 1000);
    EXPECT_EQ(found.expires_at_ms, 601'000);
    EXPECT_EQ(found.day, 20'000);
    EXPECT_EQ(found.sends_of_day, 2);
    write([](db::Transaction& tx) {
        auto next = pending();
        next.verification_id = std::string(16, 'n');
        next.failures = 4;
        next.locked_until_ms = INT64_MAX;
        store::put_verification(tx, next);
    });
    EXPECT_EQ(read(find).value().verification_id, std::string(16, 'n'));
    EXPECT_EQ(read(find).value().failures, 4);
    EXPECT_EQ(read(find).value().locked_until_ms, INT64_MAX);
    EXPECT_FALSE(read([](db::Transaction& tx) { return store::find_verification(tx, "2", "other"); }));
}

TEST_P(Verifications, CountAnAttemptAtMostAsOftenAsIsAllowed) {
    write([](db::Transaction& tx) { store::put_verification(tx, pending()); });
    std::atomic<int> counted{0};
    run_at_once(8, [&](int) {
        std::optional<store::Attempt> attempt;
        engine().write_and_wait([&](db::Transaction& tx) { attempt = store::count_attempt(tx, "2", store::purpose_bind, 2000, {}); });
        if (!attempt) return;
        ++counted;
        EXPECT_EQ(attempt->verification_id, code_id);
        EXPECT_EQ(attempt->code_key_id, 3);
        EXPECT_EQ(attempt->phone_index, "\0index"s);
    });
    EXPECT_EQ(counted, 5);
    const auto found = read([](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind); }).value();
    EXPECT_EQ(found.attempts, 5);
    EXPECT_EQ(found.failures, 5);
    EXPECT_TRUE(found.exhausted(2000));
}

TEST_P(Verifications, AreNotComparedWhenTheyAreOverOrLocked) {
    const auto count = [&](std::int64_t now_ms) { return write([&](db::Transaction& tx) { return store::count_attempt(tx, "2", store::purpose_bind, now_ms, {}); }).has_value(); };
    EXPECT_FALSE(count(1)) << "there is none";
    write([](db::Transaction& tx) { store::put_verification(tx, pending()); });
    EXPECT_FALSE(count(601'000));
    EXPECT_TRUE(count(600'999));
    auto locked = pending();
    locked.failures = 9;
    write([&](db::Transaction& tx) { store::put_verification(tx, locked); });
    EXPECT_TRUE(count(2000)) << "the tenth failure, which locks";
    EXPECT_FALSE(count(2001));
    const auto found = read([](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind); }).value();
    EXPECT_EQ(found.locked_until_ms, 2000 + base::CodeLimits().first_lock_ms);
}

TEST_P(Verifications, AreRedeemedOnceWhoeverComesAtTheSameTime) {
    auto failed = pending();
    failed.failures = 3;
    write([&](db::Transaction& tx) { store::put_verification(tx, failed); });
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::consume_verification(tx, "2", store::purpose_bind, std::string(16, 'o'), 5); })) << "superseded";
    std::atomic<int> redeemed{0};
    run_at_once(8, [&](int) {
        bool mine = false;
        engine().write_and_wait([&](db::Transaction& tx) { mine = store::consume_verification(tx, "2", store::purpose_bind, code_id, 5); });
        redeemed += mine;
    });
    EXPECT_EQ(redeemed, 1);
    const auto found = read([](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind); }).value();
    EXPECT_EQ(found.state, store::verification_consumed);
    EXPECT_EQ(found.failures, 0);
}

TEST_P(Verifications, AreUnlockedByTheOperator) {
    const auto unlock = [&] { return write([](db::Transaction& tx) { return store::unlock_verification(tx, "2", store::purpose_bind, 10); }); };
    EXPECT_FALSE(unlock());
    auto locked = pending();
    locked.failures = 50;
    locked.attempts = 5;
    locked.locked_until_ms = 1'000'000;
    write([&](db::Transaction& tx) { store::put_verification(tx, locked); });
    EXPECT_TRUE(unlock());
    EXPECT_FALSE(unlock());
    const auto found = read([](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind); }).value();
    EXPECT_EQ(found.failures, 0);
    EXPECT_EQ(found.locked_until_ms, 0);
    EXPECT_EQ(found.state, store::verification_cancelled) << "its attempts stay used up";
}

ON_EVERY_ENGINE(Rates);

TEST_P(Rates, CountUpToTheirLimitWhoeverComesAtTheSameTime) {
    std::atomic<int> counted{0};
    run_at_once(10, [&](int) {
        bool mine = false;
        engine().write_and_wait([&](db::Transaction& tx) { mine = store::count_in_window(tx, "bucket", 60'000, 120'000, 4); });
        counted += mine;
    });
    EXPECT_EQ(counted, 4);
    write([](db::Transaction& tx) {
        EXPECT_EQ(store::counted_in_window(tx, "bucket", 60'000), 4);
        EXPECT_EQ(store::counted_in_window(tx, "Bucket", 60'000), 0);
        EXPECT_EQ(store::counted_in_window(tx, "bucket", 0), 0);
        store::uncount_in_window(tx, "bucket", 60'000);
        EXPECT_EQ(store::counted_in_window(tx, "bucket", 60'000), 3);
        for (int i = 0; i < 5; ++i) store::uncount_in_window(tx, "bucket", 60'000);
        EXPECT_EQ(store::counted_in_window(tx, "bucket", 60'000), 0);
        store::uncount_in_window(tx, "unknown", 60'000);
    });
}

TEST_P(Rates, OfWindowsThatAreOverGoAFewAtATime) {
    write([](db::Transaction& tx) {
        EXPECT_FALSE(store::has_old_windows(tx, 1000));
        for (int i = 0; i < 5; ++i) store::count_in_window(tx, "b" + std::to_string(i), i, 100 + i, 9);
        store::count_in_window(tx, "now", 0, 5000, 9);
        EXPECT_FALSE(store::has_old_windows(tx, 99));
        EXPECT_TRUE(store::has_old_windows(tx, 100));
        EXPECT_EQ(store::delete_old_windows(tx, 1000, 3), 3);
        EXPECT_EQ(store::counted_in_window(tx, "b2", 2), 0);
        EXPECT_EQ(store::counted_in_window(tx, "b3", 3), 1) << "the oldest first";
        EXPECT_EQ(store::delete_old_windows(tx, 1000, 3), 2);
        EXPECT_EQ(store::delete_old_windows(tx, 1000, 3), 0);
        EXPECT_EQ(store::counted_in_window(tx, "now", 0), 1);
    });
}

TEST_P(Rates, OfPhonesAreGivenBack) {
    write([](db::Transaction& tx) {
        EXPECT_TRUE(store::count_phone_use(tx, "\0p"s, 2));
        EXPECT_TRUE(store::count_phone_use(tx, "\0p"s, 2));
        EXPECT_FALSE(store::count_phone_use(tx, "\0p"s, 2));
        store::release_phone_use(tx, "\0p"s);
        EXPECT_TRUE(store::count_phone_use(tx, "\0p"s, 2));
        store::release_phone_use(tx, "nobody's");
    });
}

store::Message message(const std::string& id, std::int64_t not_before_ms = 0) {
    return {.account_id = "2",
            .message_id = id,
            .purpose = "bind",
            .verification_id = code_id,
            .code_key_id = 3,
            .phone_sealed = "\0sealed"s,
            .channel = "inbox",
            .not_before_ms = not_before_ms,
            .expires_at_ms = 1'000'000,
            .created_at_ms = 5};
}

ON_EVERY_ENGINE(Subjects);

TEST_P(Subjects, AreFoundByPhoneAndByWhatTheLogSays) {
    write([](db::Transaction& tx) { store::insert_subject(tx, {.account_id = "1", .phone_index = "\0i"s, .subject_ref = "s-A", .key_sealed = "k\0"s, .created_at_ms = 8}); });
    read([](db::Transaction& tx) {
        for (const auto& found : {store::find_subject(tx, "1", "\0i"s), store::find_subject_by_ref(tx, "1", "s-A")}) {
            ASSERT_TRUE(found);
            EXPECT_EQ(found->phone_index, "\0i"s);
            EXPECT_EQ(found->subject_ref, "s-A");
            EXPECT_EQ(found->key_sealed, "k\0"s);
            EXPECT_EQ(found->created_at_ms, 8);
        }
        EXPECT_FALSE(store::find_subject(tx, "2", "\0i"s));
        EXPECT_FALSE(store::find_subject_by_ref(tx, "1", "s-a"));
    });
    // Nobody waits for the insertion: on a shared database the transaction is run again, and finds what another has inserted.
    const auto trouble = trouble_of([](db::Transaction& tx) { store::insert_subject(tx, {.account_id = "1", .phone_index = "other", .subject_ref = "s-A"}); });
    EXPECT_EQ(trouble, engine().shared() ? db::Trouble::unavailable : db::Trouble::conflict);
}

TEST_P(Subjects, GetOneKeyEach) {
    const keys::Ring ring(base::Secret(std::string(32, 'k')));
    const auto record = [&](const std::string& phone) { return write([&](db::Transaction& tx) { return store::record_person(tx, ring, "1", phone, 5); }); };
    const auto first = record("65-81234567"), again = record("65-81234567"), other = record("65-81234568");
    ASSERT_TRUE(first && again && other);
    EXPECT_EQ(first->subject_ref, again->subject_ref);
    EXPECT_NE(first->subject_ref, other->subject_ref);
    EXPECT_NE(first->pii, "");
    EXPECT_FALSE(record("no number"));
}

ON_EVERY_ENGINE(Facts);

TEST_P(Facts, AreReplacedAndGoWithEverythingElse) {
    write([](db::Transaction& tx) {
        store::put_fact(tx, store::fact_made_by, "sandbox");
        store::put_fact(tx, store::fact_made_by, "init");
        store::insert_message(tx, message("a"));
    });
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_fact(tx, store::fact_made_by); }), "init");
    write(store::delete_everything);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_fact(tx, store::fact_made_by); }), std::nullopt);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::count_messages(tx, store::message_queued); }), 0);
}

}  // namespace
}  // namespace openrd::tests
