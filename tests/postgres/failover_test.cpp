// A primary that dies in the middle of a write load, and its synchronous standby that takes its place: what was answered stands, no
// code is redeemed twice, and the servers find the new one by themselves.
#include "store/accounts.hpp"
#include "store/members.hpp"
#include "support/postgres.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

namespace openrd::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int workers = 4, members_of_each = 60;

std::string member_id(int worker, int member) { return std::to_string(3'000'000'000'000'000 + worker * 1000 + member); }
std::string phone_of(int worker, int member) { return "65-9" + std::to_string(1'000'000 + worker * 1000 + member); }

void add_members(db::Transaction& tx) {
    const auto directory = store::find_account(tx, management_id).value().directory_id.value();
    const auto folder = store::find_member(tx, directory, blue_id).value().folder_id;
    for (int worker = 0; worker < workers; ++worker)
        for (int member = 0; member < members_of_each; ++member) {
            const auto id = member_id(worker, member);
            store::insert_account(tx, {.account_id = id,
                                       .account_name = id + "@rd.test",
                                       .display_name = id,
                                       .site = "international",
                                       .standing = std::string(store::standing_member),
                                       .directory_id = directory});
            store::insert_member(
                tx, {.directory_id = directory, .account_id = id, .folder_id = folder, .account_name = id + "@rd.test", .display_name = id, .payer_account_id = management_id});
        }
}

// What the clients saw.
struct Seen {
    std::mutex mutex;
    std::set<std::string> bound;          // answered with success
    std::vector<std::string> unexpected;  // neither success nor 503
    std::atomic<int> refused{0}, successes{0};
    std::atomic<std::int64_t> first_success_after_ns{0};  // of a write that began after the promotion
};

class Load {
  public:
    Load(Sandbox& sandbox, Seen& seen, std::atomic<Clock::time_point>& promoted) : sandbox_(sandbox), seen_(seen), promoted_(promoted) {}

    void run(int worker) {
        for (int member = 0; member < members_of_each; ++member) bind_one(member_id(worker, member), phone_of(worker, member));
    }

  private:
    // Repeats what was answered with 503 until it is answered otherwise: then nothing had been done, so it must succeed.
    Answer until_answered(const std::function<Answer()>& call) {
        for (;;) {
            const auto began = Clock::now();
            auto answer = call();
            if (answer.status != 503) {
                const auto promoted = promoted_.load();
                std::int64_t none = 0;
                if (answer.status == 200 && began > promoted) seen_.first_success_after_ns.compare_exchange_strong(none, (Clock::now() - promoted).count());
                return answer;
            }
            ++seen_.refused;
            std::this_thread::sleep_for(50ms);
        }
    }

    void bind_one(const std::string& account, const std::string& phone) {
        const auto sent = until_answered([&] { return sandbox_.send_code(account, phone); });
        std::string code;
        for (int i = 0; i < 600 && code.empty(); ++i) {
            try {
                code = sandbox_.code_of(account, phone);
            } catch (const db::Error&) { std::this_thread::sleep_for(50ms); }
        }
        const auto bound = until_answered([&] { return sandbox_.bind(account, phone, code); });
        const std::lock_guard lock(seen_.mutex);
        if (sent.status != 200) seen_.unexpected.push_back("send: " + sent.body);
        if (bound.status == 200) seen_.bound.insert(account);
        else seen_.unexpected.push_back("bind: " + bound.body);
        ++seen_.successes;
    }

    Sandbox& sandbox_;
    Seen& seen_;
    std::atomic<Clock::time_point>& promoted_;
};

TEST(Failover, LosesNothingThatWasAnsweredAndRedeemsNoCodeTwice) {
    if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
    PostgresCluster primary({.fsync = true});
    const PostgresDatabase database(primary);
    const auto standby = primary.synchronous_standby();
    Sandbox sandbox(SharedPlace{.url = PostgresCluster::url(database.name(), primary.port(), standby->port(), primary), .key_file = {}});
    sandbox.engine().write_and_wait(add_members);

    Seen seen;
    std::atomic<Clock::time_point> promoted{Clock::time_point::max()};
    Load load(sandbox, seen, promoted);
    {
        std::vector<std::jthread> clients;
        for (int worker = 0; worker < workers; ++worker) clients.emplace_back([&, worker] { load.run(worker); });
        while (seen.successes < workers * members_of_each / 4) std::this_thread::sleep_for(1ms);
        primary.crash();
        std::this_thread::sleep_for(300ms);
        standby->promote();
        promoted = Clock::now();
    }

    EXPECT_TRUE(seen.unexpected.empty()) << seen.unexpected.size() << " of them, as " << seen.unexpected.front();
    EXPECT_EQ(seen.bound.size(), static_cast<std::size_t>(workers * members_of_each));
    const auto ask = [&](const std::string& sql) { return standby->ask_one(database.name(), sql); };
    for (const auto& account : seen.bound) {
        EXPECT_EQ(ask("SELECT count(*) FROM members WHERE phone_index IS NOT NULL AND account_id = '" + account + "'"), "1") << "an answered success is lost: " << account;
        EXPECT_EQ(
            ask("SELECT count(*) FROM audit_events WHERE event_name = 'BindSecureMobilePhone' AND resource_name LIKE '%" + account + "%' AND body NOT LIKE '%\"errorCode\":\"%'"),
            "1")
            << account;
    }
    EXPECT_EQ(ask("SELECT count(*) FROM verifications WHERE state = 'consumed' AND attempts <> 1"), "0");
    EXPECT_GT(seen.refused, 0) << "nobody noticed: the load was over before";
    const auto back_ms = seen.first_success_after_ns.load() / 1'000'000;
    EXPECT_GT(back_ms, 0);
    EXPECT_LT(back_ms, 60'000);
    RecordProperty("back_after_ms", static_cast<int>(back_ms));
    printf("%d requests were answered with 503; the first success came %lld ms after the promotion\n", seen.refused.load(), static_cast<long long>(back_ms));
}

}  // namespace
}  // namespace openrd::tests
