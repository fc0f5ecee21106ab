// `openrd keys ...` beside a running server: each key is rotated, and nothing that was promised under the older one is lost.
#include "audit/export.hpp"
#include "audit/verify.hpp"
#include "db/open.hpp"
#include "openrd/failure.hpp"
#include "openrd/key_jobs.hpp"
#include "openrd/key_watch.hpp"
#include "openrd/keys_commands.hpp"
#include "store/key_uses.hpp"
#include "store/members.hpp"
#include "store/rates.hpp"
#include "store/resealing.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <thread>

namespace openrd::tests {
namespace {

constexpr const char* directory_id = "rd-sandbx";

class KeyRotation : public ::testing::Test {
  protected:
    explicit KeyRotation(base::Settings settings = Sandbox::open_settings()) : sandbox_(std::move(settings)) {}

    KeysOptions options(const std::string& kind = {}, std::uint32_t id = 0) const {
        KeysOptions options;
        options.place = {.directory = sandbox_.directory().string(), .key_file = {}, .url = sandbox_.database_url()};
        options.kind = kind;
        options.key_id = id;
        options.settle_ms = 0;
        return options;
    }
    static boost::json::object run(int (*command)(const KeysOptions&), const KeysOptions& options) {
        ::testing::internal::CaptureStdout();
        try {
            EXPECT_EQ(command(options), 0);
        } catch (const std::exception& error) { ADD_FAILURE() << error.what(); }
        const auto text = ::testing::internal::GetCapturedStdout();
        return text.empty() ? boost::json::object() : boost::json::parse(text).as_object();
    }
    boost::json::object rotate(const std::string& kind) {
        const auto uses = sandbox_.ring().uses();
        const auto current = kind == "code" ? uses.code : kind == "index" ? uses.index : kind == "encryption" ? uses.encryption : uses.checkpoint;
        if (sandbox_.ring().ids().back() == current) add();
        auto answer = run(rotate_key, options(kind));
        look();
        return answer;
    }
    void add() {
        run(add_key, options());
        look();
    }
    // As a server does once a second.
    void look() {
        sandbox_.engine().idle();
        watch_.look();
    }
    std::string key_file() const { return (sandbox_.directory() / "openrd.key").string(); }
    void bind(const std::string& account_id = blue_id, const std::string& phone = good_phone) {
        ASSERT_EQ(sandbox_.send_code(account_id, phone).status, 200);
        ASSERT_EQ(sandbox_.bind(account_id, phone, sandbox_.code_of(account_id, phone)).status, 200);
    }
    std::int64_t count_of_green(const std::string& condition) { return sandbox_.count(("verifications WHERE account_id = '" + green_ + "' AND " + condition).c_str()); }
    void use(const keys::Uses& uses) {
        sandbox_.engine().write_and_wait([&](db::Transaction& tx) { store::put_key_uses(tx, uses); });
    }

    Sandbox sandbox_;
    const std::string green_ = sandbox_.call("CreateResourceAccount", {{"DisplayName", "team-green"}}).text("/Account/AccountId");
    KeyWatch watch_{key_file(), sandbox_.engine(), sandbox_.ring()};
};

TEST_F(KeyRotation, OfTheCodeKeyLeavesTheCodesThatWereSentValid) {
    ASSERT_EQ(sandbox_.send_code(blue_id).status, 200);
    const auto code = sandbox_.code_of(blue_id);
    rotate("code");
    EXPECT_EQ(sandbox_.ring().uses().code, 2u);
    EXPECT_EQ(sandbox_.code_of(blue_id), code);
    EXPECT_EQ(sandbox_.bind(blue_id, good_phone, Sandbox::wrong(code)).status, 409);
    EXPECT_EQ(sandbox_.bind(blue_id, good_phone, code).status, 200);
    bind(green_, second_phone);
    EXPECT_EQ(count_of_green("code_key_id = 2"), 1);
}

TEST_F(KeyRotation, OfTheIndexKeyMovesEveryIndexAndTheirUses) {
    sandbox_.settings().strict.accounts_per_phone = 1;
    bind();
    ASSERT_EQ(sandbox_.send_code(green_, second_phone).status, 200);
    const auto events = sandbox_.events();
    const auto ref = events.back().at("subject_ref").as_string();
    const auto answer = rotate("index");
    EXPECT_GE(answer.at("Moved").as_int64(), 3);
    EXPECT_EQ(answer.at("Unreadable").as_int64(), 0);
    EXPECT_EQ(sandbox_.bind(green_, second_phone, sandbox_.code_of(green_, second_phone)).status, 200) << "a code under way";
    EXPECT_EQ(sandbox_.events().back().at("subject_ref").as_string(), ref) << "the log knows the number again";
    ASSERT_EQ(sandbox_.send_code(joined_id, good_phone).status, 409) << "no resource account";
    sandbox_.engine().write_and_wait([this](db::Transaction& tx) {
        const auto index = store::unbind_phone(tx, directory_id, green_, 0);
        if (index) store::release_phone_use(tx, *index);
    });
    ASSERT_EQ(sandbox_.send_code(green_, good_phone).status, 200);
    EXPECT_EQ(sandbox_.bind(green_, good_phone, sandbox_.code_of(green_, good_phone)).status, 409) << "the phone has its one account";
    EXPECT_GT(count_under(sandbox_.engine(), 1, 0).sealed, 0) << "sealed with it still";
    EXPECT_EQ(rotate("index").at("KeyId").as_int64(), 3);
}

TEST_F(KeyRotation, OfTheIndexKeyIsRightWhileItGoesOn) {
    sandbox_.settings().strict.accounts_per_phone = 1;
    bind();
    ASSERT_EQ(sandbox_.send_code(green_, good_phone).status, 200);
    run(add_key, options());
    look();
    use({.index = 2});
    look();
    EXPECT_EQ(sandbox_.bind(green_, good_phone, sandbox_.code_of(green_)).status, 409) << "its use is under the older key";
    EXPECT_EQ(count_of_green("state = 'pending' AND attempts = 1"), 1);
    const auto answer = rotate("index");
    EXPECT_TRUE(answer.at("Finished").as_bool()) << "a rotation that was killed is ended, not begun anew";
    EXPECT_EQ(answer.at("KeyId").as_int64(), 2);
    EXPECT_EQ(sandbox_.bind(green_, good_phone, sandbox_.code_of(green_)).status, 409);
}

TEST_F(KeyRotation, OfEveryKeyLetsTheOldestRootBeRetired) {
    bind();
    const auto wire = sandbox_.sign("CreateFolder", {{"FolderName", "once"}}, {});
    ASSERT_EQ(sandbox_.send(wire).status, 200);
    for (const auto* kind : {"code", "index", "encryption", "checkpoint"}) {
        EXPECT_THROW(retire_key(options({}, 1)), Failure) << kind;
        rotate(kind);
    }
    EXPECT_EQ(sandbox_.ring().uses(), (keys::Uses{.code = 2, .index = 2, .encryption = 2, .checkpoint = 2})) << "one new root for all of them";
    EXPECT_THROW(retire_key(options({}, 1)), Failure) << "a message with a code is on its way";
    sandbox_.engine().write_and_wait([](db::Transaction& tx) {
        static constexpr db::Sql sent{"UPDATE outbox SET state = 'accepted' WHERE account_id = $1"};
        tx.run(sent, {blue_id});
    });
    sandbox_.engine().idle();
    EXPECT_EQ(count_under(sandbox_.engine(), 1, sandbox_.clock().now_ms()).sum(), 0);
    run(retire_key, options({}, 1));
    look();
    EXPECT_EQ(sandbox_.ring().ids(), std::vector<std::uint32_t>{2});
    EXPECT_FALSE(sandbox_.ring().trouble());
    EXPECT_EQ(sandbox_.call("GetAccount", {{"AccountId", blue_id}}).text("/Account/SecureMobilePhone"), "65-8123****");
    sandbox_.restart();
    EXPECT_EQ(sandbox_.call("GetAccount", {{"AccountId", blue_id}}).status, 200);
    EXPECT_EQ(sandbox_.send(wire).code(), "SignatureNonceUsed") << "known again under another root";
    EXPECT_THROW(retire_key(options({}, 2)), Failure) << "in use";
    EXPECT_THROW(retire_key(options({}, 9)), Failure) << "there is none";
}

TEST_F(KeyRotation, OfTheCheckpointKeyIsFollowedByWhoTrustsEitherKey) {
    const auto out = sandbox_.directory() / "export";
    const auto old_key = sandbox_.directory() / "old.pub", new_key = sandbox_.directory() / "new.pub";
    const auto origin = sandbox_.settings().audit.origin;
    const auto exported = [&] {
        const auto report = audit::export_log(sandbox_.engine(), sandbox_.ring(), sandbox_.clock(), {.directory = out, .origin = origin});
        EXPECT_TRUE(report.warnings.empty()) << report.warnings.front();
    };
    bind();
    exported();
    std::filesystem::copy_file(out / "audit.pub", old_key);
    const auto answer = rotate("checkpoint");
    bind(green_, second_phone);
    exported();
    std::ofstream(new_key) << answer.at("AuditKey").as_string().c_str() << "\n";
    for (const auto& key : {old_key, new_key}) {
        const auto report = audit::verify(out, key);
        EXPECT_TRUE(report.ok()) << report.text();
        EXPECT_GE(report.checkpoints, 2u);
    }
    rotate("checkpoint");
    exported();
    EXPECT_TRUE(audit::verify(out, old_key).ok());
    std::filesystem::remove(out / "keys" / "000002.txt");
    EXPECT_FALSE(audit::verify(out, old_key).ok()) << "without the note nobody knows the newest key";
}

TEST_F(KeyRotation, ThatANodeHasNotHeardOfLetsItRefuseAndCountNothing) {
    ASSERT_EQ(sandbox_.send_code(blue_id).status, 200);
    const auto code = sandbox_.code_of(blue_id);
    // Another node, with the newer key file, has sent this code.
    sandbox_.engine().write_and_wait([](db::Transaction& tx) {
        static constexpr db::Sql sql{"UPDATE verifications SET code_key_id = 2 WHERE account_id = $1"};
        tx.run(sql, {blue_id});
    });
    EXPECT_EQ(sandbox_.bind(blue_id, good_phone, code).status, 503) << "it is not known to be wrong";
    EXPECT_EQ(sandbox_.count("verifications WHERE account_id = '1000000000000002' AND attempts = 0 AND failures = 0"), 1);
    use({.code = 2});
    look();
    ASSERT_TRUE(sandbox_.ring().trouble());
    EXPECT_EQ(sandbox_.bind(blue_id, good_phone, code).status, 503);
    EXPECT_EQ(sandbox_.call("GetAccount", {{"AccountId", blue_id}}).status, 503);
    EXPECT_EQ(sandbox_.count("verifications WHERE account_id = '1000000000000002' AND attempts = 0 AND failures = 0"), 1);
    auto roots = keys::read_key_file(key_file());
    roots.push_back({.id = 2, .bytes = base::Secret(std::string(keys::root_bytes, '2'))});
    keys::replace_key_file(key_file(), roots);
    look();
    EXPECT_FALSE(sandbox_.ring().trouble());
    EXPECT_EQ(sandbox_.bind(blue_id, good_phone, sandbox_.code_of(blue_id)).status, 200);
}

TEST_F(KeyRotation, WantsAKeyThatEveryServerCanHaveRead) {
    EXPECT_THROW(rotate_key(options("code")), Failure);
    EXPECT_EQ(keys::read_key_file(key_file()).size(), 1u) << "it makes none by itself";
    EXPECT_THROW(rotate_key(options("nonce")), Failure);
}

TEST_F(KeyRotation, NeverUsesAKeyFileThatIsNotWhole) {
    run(add_key, options());
    std::ifstream in(key_file(), std::ios::binary);
    const std::string whole((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::ofstream(key_file(), std::ios::binary | std::ios::trunc) << whole.substr(0, whole.size() / 2);
    look();
    EXPECT_EQ(sandbox_.ring().ids(), std::vector<std::uint32_t>{1}) << "what was read stays";
    bind();
    std::ofstream(key_file(), std::ios::binary | std::ios::trunc) << std::string(keys::root_bytes, 'x');
    look();
    EXPECT_EQ(sandbox_.ring().ids(), std::vector<std::uint32_t>{1}) << "another database's";
    std::ofstream(key_file(), std::ios::binary | std::ios::trunc) << whole;
    look();
    EXPECT_EQ(sandbox_.ring().ids(), (std::vector<std::uint32_t>{1, 2}));
}

TEST_F(KeyRotation, GoesOnUnderLoad) {
    sandbox_.settings().codes.sends_per_member_and_day = 1'000'000;
    std::atomic<bool> stop = false;
    std::atomic<int> bound = 0, wrong = 0;
    std::mutex mutex;
    std::string refusals;
    const auto work = [&](const std::string& account_id, const std::string& phone) {
        while (!stop) {
            const auto sent = sandbox_.send_code(account_id, phone);
            const auto bound_now = sent.status == 200 ? sandbox_.bind(account_id, phone, sandbox_.code_of(account_id, phone)) : sent;
            if (bound_now.status != 200) {
                const std::lock_guard lock(mutex);
                refusals += account_id + ": " + bound_now.body + "\n";  // said at the end: the commands' output is being captured
                ++wrong;
                break;
            }
            ++bound;
            sandbox_.engine().write_and_wait([&](db::Transaction& tx) { store::unbind_phone(tx, directory_id, account_id, 0); });
        }
        sandbox_.engine().idle();
    };
    std::jthread watcher([&](const std::stop_token& ended) {
        while (!ended.stop_requested()) {
            look();
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    });
    std::jthread blue(work, blue_id, good_phone), red(work, green_, second_phone);
    run(add_key, options());
    for (const auto* kind : {"code", "index", "encryption", "checkpoint"}) {
        auto how = options(kind);
        how.settle_ms = 200;
        const int before = bound;
        run(rotate_key, how);
        while (!wrong && bound < before + 2) std::this_thread::yield();
    }
    stop = true;
    blue.join();
    red.join();
    EXPECT_EQ(refusals, "");
}

}  // namespace
}  // namespace openrd::tests
