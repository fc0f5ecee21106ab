// The limits of verification.md 3 as an attacker meets them.
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "phone/mobile_number.hpp"
#include "store/brakes.hpp"
#include "store/directory_limits.hpp"
#include "store/rates.hpp"
#include "store/suppressions.hpp"
#include "store/verifications.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

constexpr std::string_view limit_code = "SendValidateCodeExceedsLimitForAccount";

struct SendLimits : testing::Test {
    Sandbox sandbox;
    SendLimits() { sandbox.clock().freeze(true); }

    std::string member(const std::string& name) { return sandbox.call("CreateResourceAccount", {{"DisplayName", name}}).text("/Account/AccountId"); }
    static std::string phone(int n) { return "65-8" + std::to_string(1'000'000 + n * 10'000); }  // each of a prefix of its own
    int sends(int n) {
        int sent = 0;
        for (int i = 0; i < n; ++i) sent += sandbox.send_code(blue_id, phone(i)).status == 200;
        return sent;
    }
    std::string index_of(const std::string& text) const {
        const auto number = phone::MobileNumber::parse(text);
        return sandbox.ring().blind_index(number->reveal_e164());
    }
    void write(const db::Engine::Work& work) { sandbox.engine().write_and_wait(work); }
    std::string directory_id() { return sandbox.call("GetResourceDirectory").text("/ResourceDirectory/ResourceDirectoryId"); }
};

TEST_F(SendLimits, ACountryWhoseCodesNobodyRedeemsPauses) {
    sandbox.settings().brake.percent = 20;
    EXPECT_EQ(sends(20), 20);
    EXPECT_EQ(sandbox.send_code().status, 200) << "their ten minutes are not over";
    sandbox.clock().advance_ms(11 * base::minute_ms);
    const auto refused = sandbox.send_code();
    EXPECT_EQ(refused.code(), limit_code);
    EXPECT_EQ(refused.text("/Recommend"), "Try again in 3600 seconds.");
    EXPECT_EQ(sandbox.send_code(blue_id, "852-51234567").status, 200) << "another country is not concerned";
    sandbox.clock().advance_ms(base::hour_ms - 1);
    EXPECT_EQ(sandbox.send_code().code(), limit_code);
    sandbox.clock().advance_ms(1);
    EXPECT_EQ(sandbox.send_code().status, 200) << "the pause is over, and the codes before it are forgotten";
}

TEST_F(SendLimits, ACountryWhoseCodesAreRedeemedDoesNotPause) {
    sandbox.settings().brake.percent = 20;
    for (int i = 0; i < 5; ++i) {
        const auto account = member("redeems-" + std::to_string(i));
        ASSERT_EQ(sandbox.send_code(account, phone(i)).status, 200);
        ASSERT_EQ(sandbox.bind(account, phone(i), sandbox.code_of(account, phone(i))).status, 200);
    }
    EXPECT_EQ(sends(20), 20);
    sandbox.clock().advance_ms(11 * base::minute_ms);
    EXPECT_EQ(sandbox.send_code().status, 200) << "5 of 25 are 20 %";
    sandbox.clock().advance_ms(11 * base::minute_ms);
    EXPECT_EQ(sandbox.send_code(blue_id, second_phone).code(), limit_code) << "5 of 26 are less";
}

TEST_F(SendLimits, OnlyTheLatestCodesOfACountryCount) {
    sandbox.settings().brake.percent = 20;
    for (int i = 0; i < 20; ++i) {
        const auto account = member("redeems-" + std::to_string(i));
        ASSERT_EQ(sandbox.send_code(account, phone(i)).status, 200);
        ASSERT_EQ(sandbox.bind(account, phone(i), sandbox.code_of(account, phone(i))).status, 200);
    }
    sandbox.clock().advance_ms(base::minute_ms);
    EXPECT_EQ(sends(50), 50);
    sandbox.clock().advance_ms(11 * base::minute_ms);
    EXPECT_EQ(sandbox.send_code().code(), limit_code) << "the fifty after the good ones";
}

TEST_F(SendLimits, TheOperatorReleasesACountry) {
    sandbox.settings().brake.percent = 20;
    sends(20);
    sandbox.clock().advance_ms(11 * base::minute_ms);
    ASSERT_EQ(sandbox.send_code().code(), limit_code);
    write([&](db::Transaction& tx) { EXPECT_TRUE(store::release_country(tx, "65", sandbox.clock().now_ms())); });
    EXPECT_EQ(sandbox.send_code().status, 200);
}

TEST_F(SendLimits, TheDaysBudgetIsNotOverspent) {
    sandbox.settings().spend = {.budget_day_micros = 1'000'000, .price_micros = 300'000, .prices = {{"852", 150'000}}};
    EXPECT_EQ(sends(5), 3) << "0.30 each";
    EXPECT_EQ(sandbox.send_code(blue_id, "852-51234567").code(), limit_code) << "0.10 are left, and it costs 0.15";
    EXPECT_EQ(sandbox.count("rates WHERE bucket = 'spend-day' AND n = 900000"), 1);
    const auto today = base::day_of_utc8(sandbox.clock().now_ms());
    sandbox.clock().set_ms((today + 1) * base::day_ms - 8 * base::hour_ms);
    EXPECT_EQ(sandbox.send_code().status, 200);
}

TEST_F(SendLimits, AMessageThatCostsMoreThanTheBudgetIsNeverSent) {
    sandbox.settings().spend = {.budget_day_micros = 1'000'000, .price_micros = 1'000'001, .prices = {}};
    EXPECT_EQ(sandbox.send_code().code(), limit_code);
}

TEST_F(SendLimits, ASuppressedPhoneIsRefusedAsOneThatHasHadItsMessages) {
    sandbox.settings().strict.per_phone_day = 1;
    ASSERT_EQ(sandbox.send_code(blue_id, second_phone).status, 200);
    const auto full = sandbox.send_code(blue_id, second_phone);
    write([&](db::Transaction& tx) {
        store::put_suppression(tx, {.phone_index = index_of(good_phone), .reason = "stop", .created_by = "test", .created_at_ms = 1, .until_ms = {}});
    });
    const auto refused = sandbox.send_code(blue_id, good_phone);
    EXPECT_EQ(refused.status, full.status);
    EXPECT_EQ(refused.code(), full.code());
    EXPECT_EQ(refused.message(), full.message());
    EXPECT_EQ(refused.text("/Recommend"), full.text("/Recommend"));
    EXPECT_EQ(sandbox.count("outbox"), 1);
}

TEST_F(SendLimits, ASuppressionEnds) {
    const auto until = sandbox.clock().now_ms() + base::day_ms;
    write([&](db::Transaction& tx) {
        store::put_suppression(tx, {.phone_index = index_of(good_phone), .reason = "bounce", .created_by = "kannel", .created_at_ms = 1, .until_ms = until});
    });
    EXPECT_EQ(sandbox.send_code().code(), limit_code);
    sandbox.clock().set_ms(until);
    EXPECT_EQ(sandbox.send_code().status, 200);
    write([&](db::Transaction& tx) {
        EXPECT_TRUE(store::delete_suppression(tx, index_of(good_phone)));
        EXPECT_FALSE(store::delete_suppression(tx, index_of(good_phone)));
    });
}

TEST_F(SendLimits, ADirectoryHasTheLimitThatTheOperatorGaveIt) {
    sandbox.settings().strict.per_directory_hour = 2;
    const auto directory = directory_id();
    EXPECT_EQ(sends(3), 2);
    write([&](db::Transaction& tx) { store::put_directory_limits(tx, {.directory_id = directory, .sends_per_hour = 4, .sends_per_day = {}, .wrong_per_day = {}}, 1); });
    EXPECT_EQ(sends(5), 2) << "four in all";
    write([&](db::Transaction& tx) {
        store::put_directory_limits(tx, {.directory_id = directory, .sends_per_hour = store::unlimited, .sends_per_day = {}, .wrong_per_day = {}}, 1);
    });
    EXPECT_EQ(sends(5), 5);
    write([&](db::Transaction& tx) { store::put_directory_limits(tx, {.directory_id = directory, .sends_per_hour = {}, .sends_per_day = 0, .wrong_per_day = {}}, 1); });
    EXPECT_EQ(sends(1), 0) << "zero: nothing is sent";
    write([&](db::Transaction& tx) { EXPECT_TRUE(store::delete_directory_limits(tx, directory)); });
    sandbox.clock().advance_ms(base::hour_ms);
    EXPECT_EQ(sends(3), 2) << "the settings hold again";
}

TEST_F(SendLimits, ADirectorysLimitHoldsWhereTheSettingsHaveNone) {
    write([&, directory = directory_id()](db::Transaction& tx) {
        store::put_directory_limits(tx, {.directory_id = directory, .sends_per_hour = 1, .sends_per_day = {}, .wrong_per_day = {}}, 1);
    });
    EXPECT_EQ(sends(3), 1);
}

TEST_F(SendLimits, OnePhoneIsNotBombedFromManyMembers) {
    sandbox.settings().strict.per_phone_hour = 5;
    sandbox.settings().strict.per_phone_day = 10;
    int sent = 0;
    for (int hour = 0; hour < 4; ++hour) {
        for (int i = 0; i < 6; ++i) sent += sandbox.send_code(member("m-" + std::to_string(hour * 6 + i)), good_phone).status == 200;
        sandbox.clock().advance_ms(base::hour_ms);
    }
    EXPECT_LE(sent, 10);
}

TEST_F(SendLimits, WrongGuessesOfADirectoryAreCountedOverItsMembers) {
    sandbox.settings().strict.wrong_per_directory_day = 6;
    for (int i = 0; i < 2; ++i) {
        const auto account = member("guess-" + std::to_string(i));
        ASSERT_EQ(sandbox.send_code(account, phone(i)).status, 200);
        const auto code = sandbox.code_of(account, phone(i));
        for (int n = 0; n < 3; ++n) EXPECT_EQ(sandbox.bind(account, phone(i), Sandbox::wrong(code)).code(), "Invalid.VerificationCode");
    }
    ASSERT_EQ(sandbox.send_code(blue_id, good_phone).status, 200);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sandbox.code_of()).code(), "Invalid.VerificationCode") << "the right code, and the guesses of the day are used up";
    const auto today = base::day_of_utc8(sandbox.clock().now_ms());
    sandbox.clock().set_ms((today + 1) * base::day_ms - 8 * base::hour_ms);
    ASSERT_EQ(sandbox.send_code(blue_id, good_phone).status, 200);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sandbox.code_of()).status, 200);
}

TEST_F(SendLimits, WrongGuessesOfAPhoneAreCountedOverAllAccounts) {
    sandbox.settings().strict.wrong_per_phone_day = 4;
    for (int i = 0; i < 2; ++i) {
        const auto account = member("guess-" + std::to_string(i));
        ASSERT_EQ(sandbox.send_code(account, good_phone).status, 200);
        for (int n = 0; n < 2; ++n) sandbox.bind(account, good_phone, Sandbox::wrong(sandbox.code_of(account, good_phone)));
    }
    ASSERT_EQ(sandbox.send_code(blue_id, good_phone).status, 200);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sandbox.code_of()).code(), "Invalid.VerificationCode");
}

TEST_F(SendLimits, AnUnknownRangeIsTakenOnlyWhereTheSettingsSaySoAndHalvesThePrefix) {
    const auto unknown = [](int n) { return "65-7123" + std::to_string(4000 + n); };
    EXPECT_EQ(sandbox.send_code(blue_id, unknown(0)).code(), "InvalidParameter.SecureMobilePhone");
    sandbox.settings().unknown_ranges = {"65"};
    sandbox.settings().strict.per_prefix_hour = 10;
    int sent = 0;
    for (int i = 0; i < 12; ++i) sent += sandbox.send_code(blue_id, unknown(i)).status == 200;
    EXPECT_EQ(sent, 5);
    EXPECT_EQ(sandbox.send_code(blue_id, "65-61234567").code(), "InvalidParameter.SecureMobilePhone") << "what is known to be a fixed line stays one";
}

TEST_F(SendLimits, NoBucketHoldsANumber) {
    auto& s = sandbox.settings().strict;
    s.per_phone_hour = s.per_phone_day = s.per_prefix_hour = s.per_prefix_day = s.wrong_per_phone_day = s.per_country_hour = 100;
    ASSERT_EQ(sandbox.send_code().status, 200);
    sandbox.bind(blue_id, good_phone, Sandbox::wrong(sandbox.code_of()));
    EXPECT_GE(sandbox.count("rates"), 6);
    EXPECT_EQ(sandbox.count("rates WHERE bucket LIKE '%81234567%' OR bucket LIKE '%8123%'"), 0);
}

TEST_F(SendLimits, NoSettingMakesACodeLiveLongerOrBeGuessedMoreOften) {
    sandbox.settings().codes.lifetime_ms = base::day_ms;
    sandbox.settings().codes.attempts = 1000;
    const auto sent = sandbox.send_code();
    EXPECT_EQ(sent.text("/ExpirationDate"), base::utc_milliseconds(sandbox.clock().now_ms() + 10 * base::minute_ms));
    for (int i = 0; i < 5; ++i) sandbox.bind(blue_id, good_phone, Sandbox::wrong(sandbox.code_of()));
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sandbox.code_of()).code(), "Invalid.VerificationCode");
}

TEST_F(SendLimits, AClockThatStepsGivesACodeNoMoreTime) {
    ASSERT_EQ(sandbox.send_code().status, 200);
    const auto code = sandbox.code_of();
    sandbox.clock().advance_ms(-base::hour_ms);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).code(), "Invalid.VerificationCode") << "it would live for seventy minutes";
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 0"), 1);
    sandbox.clock().advance_ms(2 * base::hour_ms);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).code(), "Invalid.VerificationCode");
    sandbox.clock().advance_ms(-base::hour_ms);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).status, 200) << "it is its time again";
}

TEST_F(SendLimits, AnotherDirectorysAdministratorCannotLockAMember) {
    ASSERT_EQ(sandbox.send_code().status, 200);
    for (int i = 0; i < 12; ++i) EXPECT_NE(sandbox.bind(blue_id, good_phone, "000000", {.key = other_key}).status, 200);
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 0 AND failures = 0"), 1);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sandbox.code_of()).status, 200);
}

TEST_F(SendLimits, AMemberThatTheOperatorLockedIsSentNothingAndBindsNothing) {
    ASSERT_EQ(sandbox.send_code().status, 200);
    const auto code = sandbox.code_of();
    write([&, directory = directory_id()](db::Transaction& tx) { EXPECT_TRUE(store::lock_verification(tx, blue_id, directory, store::purpose_bind, sandbox.clock().now_ms())); });
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).code(), "Invalid.VerificationCode");
    const auto refused = sandbox.send_code();
    EXPECT_EQ(refused.code(), limit_code);
    EXPECT_EQ(refused.text("/Recommend").find("seconds"), std::string::npos) << "nobody knows when";
    write([&](db::Transaction& tx) { EXPECT_TRUE(store::unlock_verification(tx, blue_id, store::purpose_bind, sandbox.clock().now_ms())); });
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).status, 200);
}

TEST_F(SendLimits, RowsOfWindowsThatAreOverAreDeletedAFewAtATime) {
    constexpr std::int64_t rows = 2500;
    write([&](db::Transaction& tx) {
        for (std::int64_t i = 0; i < rows; ++i) store::count_in_window(tx, "over:" + std::to_string(i), 0, sandbox.clock().now_ms(), 1);
    });
    sandbox.settings().strict.per_phone_hour = 5;
    ASSERT_EQ(sandbox.send_code().status, 200);
    const auto before = sandbox.count("rates");
    sandbox.pipeline().housekeep();
    EXPECT_EQ(sandbox.count("rates"), before - 1000) << "no housekeeping holds the writer for long";
    for (int i = 0; i < 3; ++i) sandbox.pipeline().housekeep();
    EXPECT_EQ(sandbox.count("rates"), before - rows) << "what is still counted in stays";
}

}  // namespace
}  // namespace openrd::tests
