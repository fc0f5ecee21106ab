// Two servers on one database: what must hold across them (docs/cluster.md).
#include "audit/sealer.hpp"
#include "base/log.hpp"
#include "store/access_keys.hpp"
#include "store/audit_events.hpp"
#include "store/members.hpp"
#include "store/outbox.hpp"
#include "store/verifications.hpp"
#include "support/postgres.hpp"
#include "support/sandbox.hpp"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

namespace openrd::tests {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Nodes : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto why = PostgresCluster::missing(); !why.empty()) GTEST_SKIP() << why;
        std::string name = (std::filesystem::temp_directory_path() / "openrd-nodes-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        directory_ = name;
        database_ = std::make_unique<PostgresDatabase>();
    }
    void TearDown() override {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }
    SharedPlace place() const { return {.url = database_->url(), .key_file = directory_ / "openrd.key"}; }

    static bool eventually(const std::function<bool()>& condition) {
        for (int i = 0; i < 3000; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(10ms);
        }
        return false;
    }

    std::filesystem::path directory_;
    std::unique_ptr<PostgresDatabase> database_;
};

// Both at the same time.
template <class One, class Other> void at_once(One one, Other other) { std::jthread first(one), second(other); }

TEST_F(Nodes, TakeTheNonceOfAWriteOnceBetweenThem) {
    Sandbox a(place()), b(place());
    for (int round = 0; round < 10; ++round) {
        const auto wire = a.sign("SendVerificationCodeForBindSecureMobilePhone", {{"AccountId", blue_id}, {"SecureMobilePhone", good_phone}}, {});
        Answer of_a, of_b;
        at_once([&] { of_a = a.send(wire); }, [&] { of_b = b.send(wire); });
        EXPECT_EQ((of_a.status == 200) + (of_b.status == 200), 1) << of_a << of_b;
        EXPECT_EQ((of_a.code() == "SignatureNonceUsed") + (of_b.code() == "SignatureNonceUsed"), 1) << of_a << of_b;
        EXPECT_EQ(b.send(wire).code(), "SignatureNonceUsed");
        EXPECT_EQ(a.send(wire).code(), "SignatureNonceUsed");
    }
    a.restart();
    EXPECT_EQ(a.call("GetResourceDirectory").status, 200);
}

TEST_F(Nodes, RefuseACredentialThatAnotherHasDisabledWithinASecond) {
    Sandbox a(place()), b(place());
    ASSERT_EQ(b.call("GetResourceDirectory").status, 200) << "so that it is remembered there";
    a.engine().write_and_wait([](db::Transaction& tx) { store::set_access_key_status(tx, admin_key.id, store::key_inactive); });
    const auto disabled = Clock::now();
    EXPECT_EQ(a.call("GetResourceDirectory").code(), "InvalidAccessKeyId.Inactive") << "at once where it was done";
    Answer of_b;
    do of_b = b.call("GetResourceDirectory");
    while (of_b.status == 200 && Clock::now() < disabled + 1s);
    if (of_b.status == 200) of_b = b.call("GetResourceDirectory");
    EXPECT_EQ(of_b.code(), "InvalidAccessKeyId.Inactive");
    RecordProperty("refused_after_ms", static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - disabled).count()));
}

TEST_F(Nodes, RedeemACodeOnceBetweenThem) {
    Sandbox a(place()), b(place());
    for (int round = 0; round < 8; ++round) {
        ASSERT_EQ(a.send_code().status, 200);
        const auto code = b.code_of();
        Answer of_a, of_b;
        at_once([&] { of_a = a.bind(blue_id, good_phone, code); }, [&] { of_b = b.bind(blue_id, good_phone, code); });
        EXPECT_EQ((of_a.status == 200) + (of_b.status == 200), 1) << of_a << of_b;
        a.engine().write_and_wait([](db::Transaction& tx) { store::unbind_phone(tx, "rd-sandbx", blue_id, 1); });
    }
}

TEST_F(Nodes, CompareAtMostFiveWrongCodesBetweenThem) {
    Sandbox a(place()), b(place());
    ASSERT_EQ(a.send_code().status, 200);
    const auto code = a.code_of(), wrong = Sandbox::wrong(code);
    const auto guess = [&](Sandbox& node) {
        return [&] {
            for (int i = 0; i < 6; ++i) EXPECT_EQ(node.bind(blue_id, good_phone, wrong).status, 409);
        };
    };
    at_once(guess(a), guess(b));
    EXPECT_EQ(a.count("verifications WHERE attempts = 5 AND failures = 5"), 1);
    EXPECT_NE(b.bind(blue_id, good_phone, code).status, 200) << "the attempts are used up";
}

TEST_F(Nodes, GiveAMessageToOneOfThem) {
    Sandbox a(place()), b(place());
    constexpr int messages = 60;
    a.engine().write_and_wait([](db::Transaction& tx) {
        for (int i = 0; i < messages; ++i)
            store::insert_message(
                tx, {.account_id = blue_id, .message_id = "m" + std::to_string(i), .purpose = "bind", .verification_id = "v", .phone_sealed = "s", .expires_at_ms = 1'000'000});
    });
    std::atomic<int> taken{0};
    const auto dispatch = [&](Sandbox& node) {
        return [&] {
            for (int round = 0; round < 30; ++round) {
                int mine = 0;
                node.engine().write_and_wait([&](db::Transaction& tx) {
                    mine = 0;
                    for (const auto& seen : store::list_due_messages(tx, 10, {}, 7)) mine += store::claim_message(tx, seen, "attempt", "inbox", 1'000'000, 10);
                });
                taken += mine;
            }
        };
    };
    at_once(dispatch(a), dispatch(b));
    EXPECT_EQ(taken, messages);
}

audit::Sealer::Options sealing() {
    return {.origin = "openrd.test/log", .interval_ms = 200, .report = [](std::string_view what) { ADD_FAILURE() << what; }};
}

// Of a process that is killed while it seals.
TEST_F(Nodes, SealTheLogOneAtATimeAndTakeOverFromOneThatWasKilled) {
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    const pid_t holder = fork();
    if (holder == 0) {
        Sandbox node(place());
        audit::Sealer sealer(node.engine(), node.ring(), node.clock(), sealing());
        sealer.start();
        node.send_code();
        while (sealer.sealed() == 0) std::this_thread::sleep_for(5ms);
        const char byte = 1;
        if (write(ready[1], &byte, 1) == 1)
            for (;;) pause();
        _exit(1);
    }
    close(ready[1]);
    char byte = 0;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);

    Sandbox node(place());
    audit::Sealer sealer(node.engine(), node.ring(), node.clock(), sealing());
    sealer.start();
    const auto sealed_by_lease = [&] { return database_->cluster().ask_one(database_->name(), "SELECT holder FROM leases WHERE name = 'sealer'"); };
    const auto first = sealed_by_lease();
    std::this_thread::sleep_for(4s);  // longer than a silence
    EXPECT_EQ(sealed_by_lease(), first) << "a holder that lives is left alone";

    kill(holder, SIGKILL);
    waitpid(holder, nullptr, 0);
    const auto killed = Clock::now();
    ASSERT_EQ(node.call("CreateFolder", {{"FolderName", "more"}, {"ParentFolderId", "r-sandbx"}}).status, 200);
    const auto in_log = [&] { return std::stoll(database_->cluster().ask_one(database_->name(), "SELECT count(*) FROM audit_events")); };
    const auto sealed = [&] { return std::stoll(database_->cluster().ask_one(database_->name(), "SELECT coalesce(max(tree_size), 0) FROM checkpoints")); };
    ASSERT_TRUE(eventually([&] { return sealed() == in_log(); }));
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - killed).count();
    RecordProperty("taken_over_after_ms", static_cast<int>(took));
    printf("the log was sealed again %lld ms after its sealer was killed\n", static_cast<long long>(took));
    EXPECT_NE(sealed_by_lease(), first);
    EXPECT_FALSE(sealer.halted());
    // Every entry has a place of its own, from 1.
    EXPECT_EQ(database_->cluster().ask_one(database_->name(), "SELECT count(DISTINCT arrival) = count(*) AND max(arrival) = count(*) FROM audit_events"), "t");
    sealer.stop();
}

TEST_F(Nodes, SealWhatBothHaveWrittenInOneOrder) {
    Sandbox a(place()), b(place());
    audit::Sealer of_a(a.engine(), a.ring(), a.clock(), sealing()), of_b(b.engine(), b.ring(), b.clock(), sealing());
    of_a.start();
    of_b.start();
    const auto work = [](Sandbox& node) {
        return [&] {
            for (int i = 0; i < 20; ++i) EXPECT_EQ(node.call("CreateFolder", {{"FolderName", "f" + std::to_string(i)}, {"ParentFolderId", "nowhere"}}).status / 100, 4);
        };
    };
    at_once(work(a), work(b));
    auto& cluster = database_->cluster();
    EXPECT_TRUE(eventually([&] {
        return cluster.ask_one(database_->name(),
                               "SELECT (SELECT count(*) FROM audit_events) >= 40 AND (SELECT max(tree_size) FROM checkpoints) = (SELECT count(*) FROM audit_events)") == "t";
    }));
    EXPECT_EQ(cluster.ask_one(database_->name(), "SELECT count(DISTINCT arrival) = count(*) AND max(arrival) = count(*) FROM audit_events"), "t");
    of_a.stop();
    of_b.stop();
    EXPECT_FALSE(of_a.halted() || of_b.halted());
}

}  // namespace
}  // namespace openrd::tests
