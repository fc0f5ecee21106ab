#include "base/time_text.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

constexpr std::string_view limit_code = "SendValidateCodeExceedsLimitForAccount";

struct SendVerificationCode : testing::Test {
    Sandbox sandbox;
};

TEST_F(SendVerificationCode, SaysWhenTheCodeExpiresAndQueuesOneMessage) {
    sandbox.clock().freeze(true);
    const auto sent = sandbox.send_code();
    EXPECT_EQ(sent.status, 200) << sent;
    EXPECT_EQ(sent.text("/ExpirationDate"), base::utc_milliseconds(sandbox.clock().now_ms() + 10 * base::minute_ms));
    EXPECT_EQ(sandbox.count("outbox WHERE state = 'queued'"), 1);
    EXPECT_EQ(sandbox.code_of().size(), 6u);
}

TEST_F(SendVerificationCode, RepeatsTheCodeAndDoesNotProlongIt) {
    sandbox.clock().freeze(true);
    const auto first = sandbox.send_code();
    const auto code = sandbox.code_of();
    sandbox.clock().advance_ms(5 * base::minute_ms);
    const auto second = sandbox.send_code();
    EXPECT_EQ(second.text("/ExpirationDate"), first.text("/ExpirationDate"));
    EXPECT_EQ(sandbox.code_of(), code);
    EXPECT_EQ(sandbox.count("outbox"), 2);
}

TEST_F(SendVerificationCode, ShortlyBeforeTheEndANewCodeInheritsWhatWasTried) {
    sandbox.send_code();
    sandbox.bind(blue_id, good_phone, Sandbox::wrong(sandbox.code_of()));
    sandbox.clock().advance_ms(9 * base::minute_ms);
    EXPECT_EQ(sandbox.send_code().status, 200);
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 1 AND sends = 1"), 1);
}

TEST_F(SendVerificationCode, ExhaustedCodeBlocksEverySendUntilItExpires) {
    sandbox.send_code();
    for (int i = 0; i < 5; ++i) sandbox.bind(blue_id, good_phone, Sandbox::wrong(sandbox.code_of()));
    EXPECT_EQ(sandbox.send_code().code(), limit_code);
    EXPECT_EQ(sandbox.send_code(blue_id, second_phone).code(), limit_code) << "another number does not refill the attempts";
    sandbox.clock().advance_ms(10 * base::minute_ms + 1);
    EXPECT_EQ(sandbox.send_code().status, 200);
}

TEST_F(SendVerificationCode, AHundredCodesADayAndNoMore) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(sandbox.send_code().status, 200) << i;
    const auto refused = sandbox.send_code();
    EXPECT_EQ(refused.status, 409);
    EXPECT_EQ(refused.code(), limit_code);
    EXPECT_EQ(refused.message(), "For the same account, the number of verification codes sent exceeds the limit.");
    EXPECT_EQ(sandbox.count("outbox"), 100);
    const auto today = base::day_of_utc8(sandbox.clock().now_ms());
    sandbox.clock().set_ms((today + 1) * base::day_ms - 8 * base::hour_ms);  // 00:00 UTC+8
    EXPECT_EQ(sandbox.send_code().status, 200);
}

TEST_F(SendVerificationCode, ItsOwnTextForAnAccountInAnotherDirectory) {
    const auto refused = sandbox.send_code(other_member_id);
    EXPECT_EQ(refused.code(), "NotSupport.AccountInAnotherResourceDirectory");
    EXPECT_EQ(refused.message(), "The specified account is an Alibaba Cloud account or already exists in another resource directory.");
}

TEST_F(SendVerificationCode, RefusesWhatBindWouldRefuse) {
    EXPECT_EQ(sandbox.send_code(blue_id, good_phone, {.key = root_key}).code(), "CallerIdentityError");
    EXPECT_EQ(sandbox.send_code(nameless_member_id, good_phone, {.key = nameless_key}).code(), "Invalid.EnterpriseName");
    EXPECT_EQ(sandbox.send_code(unverified_member_id, good_phone, {.key = unverified_key}).code(), "EnterpriseRealNameVerificationError");
    EXPECT_EQ(sandbox.send_code(management_id).code(), "EntityAlreadyExists.ResourceDirectory");
    EXPECT_EQ(sandbox.send_code(joined_id).code(), "AccountTypeMismatch");
    EXPECT_EQ(sandbox.send_code(red_id).code(), "AccountSecureMobileAlreadyExists");
    EXPECT_EQ(sandbox.send_code(outside_id).code(), "EntityNotExists.Account");
    EXPECT_EQ(sandbox.send_code(blue_id, "86-13900001234").code(), "InvalidParameter.MobileCountryCode");
    EXPECT_EQ(sandbox.send_code(blue_id, "65-61234567").code(), "InvalidParameter.SecureMobilePhone");
    EXPECT_EQ(sandbox.count("outbox"), 0) << "what is refused sends nothing";
}

TEST_F(SendVerificationCode, StrictKeepsAMinuteBetweenSendsAndSaysHowLong) {
    sandbox.settings().strict.resend_interval_ms = base::minute_ms;
    sandbox.clock().freeze(true);
    EXPECT_EQ(sandbox.send_code().status, 200);
    sandbox.clock().advance_ms(30 * base::second_ms);
    const auto refused = sandbox.send_code();
    EXPECT_EQ(refused.code(), limit_code);
    EXPECT_EQ(refused.text("/Recommend"), "Try again in 30 seconds.");
    sandbox.clock().advance_ms(30 * base::second_ms);
    EXPECT_EQ(sandbox.send_code().status, 200);
}

TEST_F(SendVerificationCode, StrictCapsAPhoneOverAllAccounts) {
    sandbox.settings().strict.per_phone_hour = 3;
    std::vector<std::string> members;
    for (int i = 0; i < 4; ++i) members.push_back(sandbox.call("CreateResourceAccount", {{"DisplayName", "victim-" + std::to_string(i)}}).text("/Account/AccountId"));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sandbox.send_code(members[static_cast<std::size_t>(i)]).status, 200);
    EXPECT_EQ(sandbox.send_code(members[3]).code(), limit_code);
    EXPECT_EQ(sandbox.send_code(members[3], second_phone).status, 200) << "another phone is not concerned";
}

TEST_F(SendVerificationCode, StrictCountsNothingWhenOneOfTheWindowsIsFull) {
    sandbox.settings().strict.per_phone_hour = 1;
    sandbox.settings().strict.per_target_hour = 100;
    EXPECT_EQ(sandbox.send_code().status, 200);
    EXPECT_EQ(sandbox.send_code().code(), limit_code);
    EXPECT_EQ(sandbox.count("rates WHERE bucket = 'account-hour:1000000000000002' AND n = 1"), 1) << "a refusal leaks no count";
}

TEST_F(SendVerificationCode, StrictStopsAtAdjacentNumbers) {
    sandbox.settings().strict.per_prefix_hour = 10;
    int sent = 0;
    for (int i = 0; i < 40; ++i) sent += sandbox.send_code(blue_id, "65-8123" + std::to_string(4000 + i)).status == 200;
    EXPECT_EQ(sent, 10);
}

TEST_F(SendVerificationCode, StrictTakesOnlyTheCountriesOnTheList) {
    sandbox.settings().strict.countries_by_list = true;
    sandbox.settings().strict.countries = {"852"};
    EXPECT_EQ(sandbox.send_code().code(), "InvalidParameter.MobileCountryCode");
    EXPECT_EQ(sandbox.send_code(blue_id, "852-51234567").status, 200);
}

}  // namespace
}  // namespace openrd::tests
