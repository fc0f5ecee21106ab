// What must hold whatever the concurrency (house.md 7). Run under ASan in ./dev check, under TSan in ./dev check-all.
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace openrd::tests {
namespace {

// Sends all of them at once from several threads, and waits for every answer.
std::vector<Answer> all_at_once(Sandbox& sandbox, const std::vector<Wire>& wires) {
    constexpr std::size_t threads = 8;
    std::vector<Answer> answers(wires.size());
    std::mutex mutex;
    std::condition_variable answered;
    std::size_t open = wires.size();
    std::barrier start(static_cast<std::ptrdiff_t>(threads));
    std::vector<std::jthread> senders;
    for (std::size_t t = 0; t < threads; ++t)
        senders.emplace_back([&, t] {
            start.arrive_and_wait();
            for (std::size_t i = t; i < wires.size(); i += threads)
                sandbox.send(wires[i], [&, i](Answer answer) {
                    const std::lock_guard lock(mutex);
                    answers[i] = std::move(answer);
                    if (--open == 0) answered.notify_one();
                });
            sandbox.engine().idle();
        });
    std::unique_lock lock(mutex);
    answered.wait(lock, [&] { return open == 0; });
    return answers;
}

std::size_t with_status(const std::vector<Answer>& answers, int status) { return static_cast<std::size_t>(std::ranges::count(answers, status, &Answer::status)); }

std::vector<Wire> binds(const Sandbox& sandbox, std::size_t n, const std::function<std::string(std::size_t)>& code) {
    std::vector<Wire> wires;
    for (std::size_t i = 0; i < n; ++i)
        wires.push_back(sandbox.sign("BindSecureMobilePhone", {{"AccountId", blue_id}, {"SecureMobilePhone", good_phone}, {"VerificationCode", code(i)}}, {}));
    return wires;
}

TEST(Race, OfSixtyFourWrongCodesAtMostFiveAreCompared) {
    Sandbox sandbox;
    ASSERT_EQ(sandbox.send_code().status, 200);
    const auto code = sandbox.code_of();
    const auto answers = all_at_once(sandbox, binds(sandbox, 64, [&](std::size_t) { return Sandbox::wrong(code); }));
    EXPECT_EQ(with_status(answers, 409), 64u);
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 5 AND failures = 5"), 1);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).code(), "Invalid.VerificationCode") << "the attempts are used up";
}

TEST(Race, OfSixtyFourRightCodesExactlyOneBinds) {
    Sandbox sandbox;
    ASSERT_EQ(sandbox.send_code().status, 200);
    const auto code = sandbox.code_of();
    const auto answers = all_at_once(sandbox, binds(sandbox, 64, [&](std::size_t) { return code; }));
    EXPECT_EQ(with_status(answers, 200), 1u);
    EXPECT_EQ(with_status(answers, 409), 63u);
    EXPECT_EQ(sandbox.count("members WHERE account_id = '1000000000000002' AND phone_index IS NOT NULL"), 1);
    std::size_t recorded = 0;
    for (const auto& event : sandbox.events()) recorded += event.at("eventName").as_string() == "BindSecureMobilePhone" && !event.contains("errorCode");
    EXPECT_EQ(recorded, 1u) << "one record of success";
}

TEST(Race, RightAndWrongCodesMixedBindAtMostOnce) {
    for (int round = 0; round < 10; ++round) {
        Sandbox sandbox;
        ASSERT_EQ(sandbox.send_code().status, 200);
        const auto code = sandbox.code_of();
        const auto answers = all_at_once(sandbox, binds(sandbox, 64, [&](std::size_t i) { return i % 2 == 0 ? code : Sandbox::wrong(code); }));
        const auto bound = with_status(answers, 200);
        EXPECT_LE(bound, 1u);
        EXPECT_EQ(sandbox.count("members WHERE account_id = '1000000000000002' AND phone_index IS NOT NULL"), static_cast<std::int64_t>(bound));
        if (bound == 1) { EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND failures = 0"), 1); }
    }
}

TEST(Race, OfTwoHundredFiftySixSendsExactlyAHundredAreSent) {
    Sandbox sandbox;
    std::vector<Wire> wires;
    for (int i = 0; i < 256; ++i) wires.push_back(sandbox.sign("SendVerificationCodeForBindSecureMobilePhone", {{"AccountId", blue_id}, {"SecureMobilePhone", good_phone}}, {}));
    const auto answers = all_at_once(sandbox, wires);
    EXPECT_EQ(with_status(answers, 200), 100u);
    EXPECT_EQ(with_status(answers, 409), 156u);
    EXPECT_EQ(sandbox.count("outbox"), 100);
}

// verification.md 6: all windows or none, whoever comes at once.
TEST(Race, OfSixtyFourSendsOverFourWindowsTenAreAdmittedAndNoCountLeaks) {
    auto settings = Sandbox::open_settings();
    settings.strict.per_directory_hour = 10;
    settings.strict.per_caller_hour = settings.strict.per_country_hour = settings.strict.system_day = 1000;
    settings.spend.budget_day_micros = 50'000'000;
    Sandbox sandbox(settings);
    sandbox.clock().freeze(true);
    std::vector<Wire> wires;
    for (int i = 0; i < 8; ++i) {
        const auto account = sandbox.call("CreateResourceAccount", {{"DisplayName", "at-once-" + std::to_string(i)}}).text("/Account/AccountId");
        for (int n = 0; n < 8; ++n)
            wires.push_back(
                sandbox.sign("SendVerificationCodeForBindSecureMobilePhone", {{"AccountId", account}, {"SecureMobilePhone", "65-812" + std::to_string(30'000 + i * 10 + n)}}, {}));
    }
    const auto answers = all_at_once(sandbox, wires);
    EXPECT_EQ(with_status(answers, 200), 10u);
    EXPECT_EQ(with_status(answers, 409), 54u);
    EXPECT_EQ(sandbox.count("outbox"), 10);
    EXPECT_EQ(sandbox.count("rates WHERE n = 10"), 4) << "directory, caller, country, system";
    EXPECT_EQ(sandbox.count("rates WHERE bucket = 'spend-day' AND n = 500000"), 1);
}

TEST(Race, OnePhoneIsBoundToOneOfTwoAccounts) {
    for (int round = 0; round < 5; ++round) {
        auto settings = Sandbox::open_settings();
        settings.strict.accounts_per_phone = 1;
        Sandbox sandbox(settings);
        std::vector<std::string> accounts;
        std::vector<Wire> wires;
        for (int i = 0; i < 4; ++i) {
            accounts.push_back(sandbox.call("CreateResourceAccount", {{"DisplayName", "wants-" + std::to_string(i)}}).text("/Account/AccountId"));
            ASSERT_EQ(sandbox.send_code(accounts.back(), good_phone).status, 200);
        }
        for (int i = 0; i < 16; ++i) {  // four of each: a fifth guess would be the last one
            const auto& account = accounts[static_cast<std::size_t>(i) % accounts.size()];
            wires.push_back(
                sandbox.sign("BindSecureMobilePhone", {{"AccountId", account}, {"SecureMobilePhone", good_phone}, {"VerificationCode", sandbox.code_of(account, good_phone)}}, {}));
        }
        const auto answers = all_at_once(sandbox, wires);
        EXPECT_EQ(with_status(answers, 200), 1u);
        EXPECT_EQ(sandbox.count("members WHERE display_name LIKE 'wants-%' AND phone_index IS NOT NULL"), 1);
        EXPECT_EQ(sandbox.count("phone_uses WHERE n > 1"), 0);
    }
}

TEST(Race, OneNonceIsTakenOnceByWritesAndByReads) {
    Sandbox sandbox;
    for (const auto* action : {"GetResourceDirectory", "CreateFolder"}) {
        const Parameters parameters = std::string_view(action) == "CreateFolder" ? Parameters{{"FolderName", "once"}} : Parameters{};
        const std::vector<Wire> wires(32, sandbox.sign(action, parameters, {}));
        const auto answers = all_at_once(sandbox, wires);
        EXPECT_EQ(with_status(answers, 200), 1u) << action;
        EXPECT_EQ(std::ranges::count_if(answers, [](const Answer& a) { return a.code() == "SignatureNonceUsed"; }), 31);
    }
}

TEST(Race, MembersOfOneNameAreMadeOnce) {
    Sandbox sandbox;
    std::vector<Wire> wires;
    for (int i = 0; i < 32; ++i) wires.push_back(sandbox.sign("CreateResourceAccount", {{"DisplayName", "only-one"}}, {}));
    const auto answers = all_at_once(sandbox, wires);
    EXPECT_EQ(with_status(answers, 200), 1u);
    EXPECT_EQ(sandbox.count("members WHERE display_name = 'only-one'"), 1);
}

}  // namespace
}  // namespace openrd::tests
