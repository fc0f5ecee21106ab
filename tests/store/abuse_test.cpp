// What keeps the sending of codes in bounds: store/suppressions, directory_limits, brakes, the amounts of rates, the lock of a member.
#include "store/brakes.hpp"
#include "store/directories.hpp"
#include "store/directory_limits.hpp"
#include "store/engines.hpp"
#include "store/members.hpp"
#include "store/rates.hpp"
#include "store/suppressions.hpp"
#include "store/verifications.hpp"

#include <atomic>
#include <thread>

namespace openrd::tests {
namespace {

using namespace std::string_literals;

const std::string index_a = "\0a"s + std::string(30, 'a'), index_b = "\xFF"s + std::string(31, 'b');

ON_EVERY_ENGINE(Suppressions);

TEST_P(Suppressions, HoldUntilTheirEndOrForGood) {
    write([](db::Transaction& tx) {
        store::put_suppression(tx, {.phone_index = index_a, .reason = "stop", .created_by = "kannel", .created_at_ms = 5, .until_ms = {}});
        store::put_suppression(tx, {.phone_index = index_b, .reason = "bounce", .created_by = "twilio", .created_at_ms = 6, .until_ms = 100});
    });
    const auto suppressed = [&](const std::string& index, std::int64_t now_ms) { return read([&](db::Transaction& tx) { return store::is_suppressed(tx, index, now_ms); }); };
    EXPECT_TRUE(suppressed(index_a, INT64_MAX));
    EXPECT_TRUE(suppressed(index_b, 99));
    EXPECT_FALSE(suppressed(index_b, 100));
    EXPECT_FALSE(suppressed("other", 1));
    write([](db::Transaction& tx) { store::put_suppression(tx, {.phone_index = index_a, .reason = "operator", .created_by = "operator:me", .created_at_ms = 7, .until_ms = 50}); });
    EXPECT_FALSE(suppressed(index_a, 50)) << "what was said last holds";
    EXPECT_TRUE(write([](db::Transaction& tx) { return store::delete_suppression(tx, index_b); }));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::delete_suppression(tx, index_b); }));
}

TEST_P(Suppressions, AreListedInTheOrderOfTheirBytes) {
    write([](db::Transaction& tx) {
        for (const auto& index : {index_b, index_a, "m"s})
            store::put_suppression(tx, {.phone_index = index, .reason = "stop", .created_by = "x", .created_at_ms = 5, .until_ms = 9});
    });
    const auto list = [&](const std::string& after, std::int64_t limit) { return read([&](db::Transaction& tx) { return store::list_suppressions(tx, after, limit); }); };
    const auto all = list("", 10);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].phone_index, index_a);
    EXPECT_EQ(all[2].phone_index, index_b);
    EXPECT_EQ(all[0].reason, "stop");
    EXPECT_EQ(all[0].created_by, "x");
    EXPECT_EQ(all[0].created_at_ms, 5);
    EXPECT_EQ(all[0].until_ms, 9);
    EXPECT_EQ(list(index_a, 1).at(0).phone_index, "m");
}

ON_EVERY_ENGINE(DirectoryLimits);

TEST_P(DirectoryLimits, ComeBackAsTheyWentInAndGo) {
    const auto find = [](db::Transaction& tx) { return store::find_directory_limits(tx, "rd-1"); };
    EXPECT_FALSE(read(find));
    write([](db::Transaction& tx) { store::put_directory_limits(tx, {.directory_id = "rd-1", .sends_per_hour = 3, .sends_per_day = {}, .wrong_per_day = store::unlimited}, 1); });
    EXPECT_EQ(read(find)->sends_per_hour, 3);
    EXPECT_FALSE(read(find)->sends_per_day);
    EXPECT_EQ(read(find)->wrong_per_day, store::unlimited);
    write([](db::Transaction& tx) { store::put_directory_limits(tx, {.directory_id = "rd-1", .sends_per_hour = {}, .sends_per_day = 0, .wrong_per_day = {}}, 2); });
    EXPECT_FALSE(read(find)->sends_per_hour);
    EXPECT_EQ(read(find)->sends_per_day, 0);
    EXPECT_TRUE(write([](db::Transaction& tx) { return store::delete_directory_limits(tx, "rd-1"); }));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::delete_directory_limits(tx, "rd-1"); }));
}

ON_EVERY_ENGINE(Brakes);

TEST_P(Brakes, CountTheLatestCodesWhoseFateIsKnown) {
    write([](db::Transaction& tx) {
        for (int i = 0; i < 10; ++i) store::insert_code_sample(tx, "65", std::string(16, static_cast<char>('a' + i)), 100 + i, 200 + i, 0);
        store::insert_code_sample(tx, "65", std::string(16, 'a'), 999, 999, 0);  // it is there already
        store::redeem_code_sample(tx, "65", std::string(16, 'a'));
        store::redeem_code_sample(tx, "65", std::string(16, 'j'));
        store::redeem_code_sample(tx, "44", std::string(16, 'b'));  // of another country: nothing
    });
    const auto count = [&](std::int64_t from_ms, std::int64_t now_ms, std::int64_t latest) {
        const auto seen = read([&](db::Transaction& tx) { return store::count_redemption(tx, "65", from_ms, now_ms, latest); });
        return std::pair(seen.codes, seen.redeemed);
    };
    EXPECT_EQ(count(0, 1000, 50), std::pair(10L, 2L));
    EXPECT_EQ(count(0, 204, 50), std::pair(5L, 1L)) << "the other five are under way, the redeemed one too";
    EXPECT_EQ(count(0, 1000, 3), std::pair(3L, 1L)) << "the latest three";
    EXPECT_EQ(count(200, 1000, 50), std::pair(9L, 1L)) << "after that";
    EXPECT_EQ(count(1000, 1000, 50), std::pair(0L, 0L));
    write([](db::Transaction& tx) { store::insert_code_sample(tx, "65", std::string(16, 'z'), 300, 400, 205); });
    EXPECT_EQ(count(0, 1000, 50), std::pair(6L, 1L)) << "what ended before 205 is forgotten";
}

TEST_P(Brakes, PauseOnceUntilTheirEndOrTheOperators) {
    const auto find = [](db::Transaction& tx) { return store::find_country_brake(tx, "65"); };
    EXPECT_FALSE(read(find));
    write([](db::Transaction& tx) { store::pause_country(tx, "65", 100, 200); });
    write([](db::Transaction& tx) { store::pause_country(tx, "65", 150, 250); });
    EXPECT_EQ(read(find)->paused_until_ms, 200) << "it is paused already";
    EXPECT_EQ(read(find)->counted_from_ms, 200);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::list_paused_countries(tx, 199); }).at(0).calling_code, "65");
    EXPECT_TRUE(read([](db::Transaction& tx) { return store::list_paused_countries(tx, 200); }).empty());
    EXPECT_TRUE(write([](db::Transaction& tx) { return store::release_country(tx, "65", 160); }));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::release_country(tx, "65", 161); }));
    EXPECT_EQ(read(find)->counted_from_ms, 160);
    write([](db::Transaction& tx) { store::pause_country(tx, "65", 300, 400); });
    EXPECT_EQ(read(find)->paused_until_ms, 400);
}

ON_EVERY_ENGINE(Amounts);

TEST_P(Amounts, FitIntoTheirWindowWhoeverComesAtOnce) {
    std::atomic<int> admitted{0};
    std::vector<std::thread> all;
    for (int i = 0; i < 32; ++i)
        all.emplace_back([&] {
            bool in = false;
            engine().write_and_wait([&](db::Transaction& tx) { in = store::count_in_window(tx, "spend", 0, 1000, 100, 15); });
            admitted += in ? 1 : 0;
        });
    for (auto& one : all) one.join();
    EXPECT_EQ(admitted, 6) << "90 of 100";
    EXPECT_EQ(read([](db::Transaction& tx) { return store::counted_in_window(tx, "spend", 0); }), 90);
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::count_in_window(tx, "other", 0, 1000, 10, 11); })) << "nor does the first one pass the limit";
    EXPECT_TRUE(write([](db::Transaction& tx) { return store::count_in_window(tx, "spend", 0, 1000, 100, 10); })) << "up to the limit";
}

ON_EVERY_ENGINE(Locks);

TEST_P(Locks, AMemberThatIsHeldIsDecidedAboutByOneAtATime) {
    write([](db::Transaction& tx) {
        store::insert_directory(tx, {.directory_id = "rd-1", .management_account_id = "1", .root_folder_id = "r-1", .created_at_ms = 1});
        store::insert_member(tx, {.directory_id = "rd-1", .account_id = "2", .folder_id = "r-1", .account_name = "n", .display_name = "0", .payer_account_id = "1"});
    });
    // Read, then written: right only when nobody comes in between.
    std::vector<std::thread> all;
    for (int i = 0; i < 16; ++i)
        all.emplace_back([&] {
            engine().write_and_wait([](db::Transaction& tx) {
                store::hold_member(tx, "rd-1", "2");
                const auto seen = store::find_verification(tx, "2", store::purpose_bind);
                auto next = seen.value_or(
                    store::Verification{.account_id = "2", .directory_id = "rd-1", .verification_id = "v", .phone_index = "i", .phone_sealed = "s", .created_by = "me"});
                next.sends += 1;
                store::put_verification(tx, next);
            });
        });
    for (auto& one : all) one.join();
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind).value().sends; }), 16);
}

TEST_P(Locks, ACancelledCodeIsThatOfItsPhone) {
    write([](db::Transaction& tx) {
        store::put_verification(tx, {.account_id = "2", .directory_id = "rd-1", .verification_id = "v", .phone_index = index_a, .phone_sealed = "s", .created_by = "me"});
    });
    const auto cancel = [&](const std::string& index) { return write([&](db::Transaction& tx) { return store::cancel_verification(tx, "2", store::purpose_bind, index); }); };
    EXPECT_FALSE(cancel(index_b));
    EXPECT_TRUE(cancel(index_a));
    EXPECT_FALSE(cancel(index_a)) << "it is cancelled already";
}

TEST_P(Locks, OfTheOperatorHoldUntilHeUnlocks) {
    const base::CodeLimits limits;
    const auto lock = [](db::Transaction& tx) { return store::lock_verification(tx, "2", "rd-1", store::purpose_bind, 1000); };
    EXPECT_TRUE(write(lock)) << "an account that was never sent a code";
    EXPECT_FALSE(write(lock)) << "it is locked already";
    const auto found = read([](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind).value(); });
    EXPECT_TRUE(found.locked(INT64_C(4'000'000'000'000), limits));
    EXPECT_FALSE(found.pending(1000));
    EXPECT_TRUE(write([](db::Transaction& tx) { return store::unlock_verification(tx, "2", store::purpose_bind, 2000); }));
    EXPECT_FALSE(read([](db::Transaction& tx) { return store::find_verification(tx, "2", store::purpose_bind).value(); }).locked(2000, limits));
}

}  // namespace
}  // namespace openrd::tests
