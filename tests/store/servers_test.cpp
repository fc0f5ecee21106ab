// What keeps several servers on one database out of each other's way: store/nonces, leases, and the holds on rows.
#include "store/accounts.hpp"
#include "store/directories.hpp"
#include "store/engines.hpp"
#include "store/leases.hpp"
#include "store/members.hpp"
#include "store/nonces.hpp"

#include <atomic>
#include <thread>

namespace openrd::tests {
namespace {

using namespace std::string_literals;

ON_EVERY_ENGINE(Nonces);

store::NonceOfWrite nonce(const std::string& request, const std::string& hash = "\0hash\xFF"s) {
    return {.account_id = "1", .hash = hash, .request_id = request, .until_ms = 1000};
}

TEST_P(Nonces, AreTakenOnceWhoeverComesAtTheSameTime) {
    std::atomic<int> taken{0};
    std::vector<std::thread> all;
    for (int i = 0; i < 8; ++i)
        all.emplace_back([&, i] {
            bool mine = false;
            engine().write_and_wait([&](db::Transaction& tx) { mine = store::take_nonce(tx, nonce("r" + std::to_string(i))); });
            taken += mine;
        });
    for (auto& one : all) one.join();
    EXPECT_EQ(taken, 1);
    auto another = nonce("r");
    another.account_id = "2";
    EXPECT_TRUE(write([&](db::Transaction& tx) { return store::take_nonce(tx, another); }));
    EXPECT_TRUE(write([&](db::Transaction& tx) { return store::take_nonce(tx, nonce("r", "\0hash\xFE"s)); }));
}

TEST_P(Nonces, SettleWhetherALostTransactionWasCommitted) {
    write([](db::Transaction& tx) { EXPECT_TRUE(store::take_nonce(tx, nonce("done"))); });
    EXPECT_TRUE(write([](db::Transaction& tx) { return store::settle_nonce(tx, nonce("done")); }));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::settle_nonce(tx, nonce("another request")); }));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::settle_nonce(tx, nonce("lost", "lost")); }));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::take_nonce(tx, nonce("lost", "lost")); })) << "it cannot be committed any more";
}

TEST_P(Nonces, ThatWereNotWaitedForAreTakenAllTheSame) {
    write([](db::Transaction& tx) { store::post_nonce(tx, nonce("r")); });
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::take_nonce(tx, nonce("another")); }));
    EXPECT_THROW(write([](db::Transaction& tx) { store::post_nonce(tx, nonce("another")); }), db::Error);
}

TEST_P(Nonces, GoWhenTheirTimeIsOver) {
    write([](db::Transaction& tx) { store::take_nonce(tx, nonce("r")); });
    write([](db::Transaction& tx) {
        EXPECT_FALSE(store::has_old_nonces(tx, 999));
        store::delete_old_nonces(tx, 999);
        EXPECT_FALSE(store::take_nonce(tx, nonce("again")));
        EXPECT_TRUE(store::has_old_nonces(tx, 1000));
        store::delete_old_nonces(tx, 1000);
        EXPECT_FALSE(store::has_old_nonces(tx, 1000));
        EXPECT_TRUE(store::take_nonce(tx, nonce("again")));
    });
}

ON_EVERY_ENGINE(Leases);

TEST_P(Leases, HaveOneHolderWhoMovesTheirPlace) {
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_lease(tx, "work"); }), std::nullopt);
    std::atomic<int> made{0};
    std::vector<std::thread> all;
    for (int i = 0; i < 4; ++i)
        all.emplace_back([&] {
            bool mine = false;
            engine().write_and_wait([&](db::Transaction& tx) { mine = store::create_lease(tx, "work", "one", 7); });
            made += mine;
        });
    for (auto& one : all) one.join();
    EXPECT_EQ(made, 1);
    const auto seen = read([](db::Transaction& tx) { return store::find_lease(tx, "work"); }).value();
    EXPECT_EQ(seen.holder, "one");
    EXPECT_EQ(seen.place, 7);
    write([](db::Transaction& tx) {
        EXPECT_FALSE(store::hold_lease(tx, "work", "other", 7, 8));
        EXPECT_FALSE(store::hold_lease(tx, "work", "one", 6, 8)) << "another has moved it";
        EXPECT_TRUE(store::hold_lease(tx, "work", "one", 7, 8));
    });
    EXPECT_FALSE(write([&](db::Transaction& tx) { return store::take_lease(tx, "work", "other", seen); })) << "it has beaten since";
    const auto now = read([](db::Transaction& tx) { return store::find_lease(tx, "work"); }).value();
    EXPECT_EQ(now.place, 8);
    EXPECT_TRUE(write([&](db::Transaction& tx) { return store::take_lease(tx, "work", "other", now); }));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::hold_lease(tx, "work", "one", 8, 9); }));
    write([](db::Transaction& tx) {
        store::give_lease_back(tx, "work", "one");
        EXPECT_EQ(store::find_lease(tx, "work").value().holder, "other") << "not his to give";
        store::give_lease_back(tx, "work", "other");
        EXPECT_EQ(store::find_lease(tx, "work").value().holder, "");
    });
}

ON_EVERY_ENGINE(Holds);

// A decision that is made from what was read after the hold is never made twice.
TEST_P(Holds, MakeWritersOfOneRowComeOneAfterTheOther) {
    write([](db::Transaction& tx) {
        store::insert_account(tx, {.account_id = "1", .account_name = "0"});
        store::insert_directory(tx, {.directory_id = "rd-1", .management_account_id = "1", .root_folder_id = "r-1"});
        store::insert_account(tx, {.account_id = "2", .enterprise_state = "0"});
        store::insert_member(tx, {.directory_id = "rd-1", .account_id = "2", .folder_id = "r-1", .account_name = "2", .display_name = "2"});
    });
    constexpr int threads = 6, rounds = 8;
    const auto all_do = [&](const db::Engine::Work& work) {
        std::vector<std::thread> all;
        for (int t = 0; t < threads; ++t)
            all.emplace_back([&] {
                for (int i = 0; i < rounds; ++i) engine().write_and_wait(work);
            });
        for (auto& one : all) one.join();
    };
    all_do([](db::Transaction& tx) {
        const auto account = store::hold_account(tx, "2").value();
        store::set_enterprise_state(tx, "2", std::to_string(std::stoi(account.enterprise_state) + 1));
    });
    EXPECT_EQ(read([](db::Transaction& tx) { return store::find_account(tx, "2"); }).value().enterprise_state, std::to_string(threads * rounds));
    EXPECT_FALSE(write([](db::Transaction& tx) { return store::hold_account(tx, "3"); }));

    std::atomic<int> bound{0};
    all_do([&](db::Transaction& tx) {
        store::hold_directory(tx, "rd-1");
        store::hold_member(tx, "rd-1", "2");
        store::hold_member(tx, "rd-1", "nobody");
        if (store::find_member(tx, "rd-1", "2").value().phone_sealed) return;
        bound = bound + 1;  // of the works that ran, no two have found none
        store::bind_phone(tx, "rd-1", "2", {.phone_index = "i", .phone_sealed = "s"});
    });
    EXPECT_EQ(bound, 1);
}

}  // namespace
}  // namespace openrd::tests
