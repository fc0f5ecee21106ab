#include "support/sandbox.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

struct BindSecureMobilePhone : testing::Test {
    Sandbox sandbox;
    void expect(const Answer& answer, int status, std::string_view code, std::string_view message) {
        EXPECT_EQ(answer.status, status) << answer;
        EXPECT_EQ(answer.code(), code) << answer;
        EXPECT_EQ(answer.message(), message) << answer;
    }
    void expect_invalid_code(const Answer& answer) { expect(answer, 409, "Invalid.VerificationCode", "The verification code is invalid."); }
    std::string sent_code(const std::string& account = blue_id, const std::string& phone = good_phone) {
        const auto sent = sandbox.send_code(account, phone);
        EXPECT_EQ(sent.status, 200) << sent;
        return sandbox.code_of(account, phone);
    }
};

TEST_F(BindSecureMobilePhone, BindsThePhoneThatTheCodeWasSentTo) {
    const auto bound = sandbox.bind(blue_id, good_phone, sent_code());
    EXPECT_EQ(bound.status, 200) << bound;
    EXPECT_EQ(bound.body, "{\"RequestId\":\"" + bound.request_id + "\"}");
    const auto account = sandbox.call("GetAccount", {{"AccountId", blue_id}});
    EXPECT_EQ(account.text("/Account/HasSecureMobilePhone"), "true");
    EXPECT_EQ(account.text("/Account/SecureMobilePhone"), "65-8123****");
    const auto old = sandbox.call("GetAccount", {{"AccountId", blue_id}}, {.version = "2020-03-31"});
    EXPECT_EQ(old.text("/Account/HasSecureMobilePhone"), "") << "the older version does not know of phones";
}

TEST_F(BindSecureMobilePhone, TellsTheAccountByEMail) {
    ASSERT_EQ(sandbox.bind(blue_id, good_phone, sent_code()).status, 200);
    EXPECT_EQ(sandbox.count("outbox WHERE account_id = '1000000000000002' AND purpose = 'phone-bound' AND state = 'queued'"), 1);
    const auto created = sandbox.call("CreateResourceAccount", {{"DisplayName", "team-green"}}).text("/Account/AccountId");
    expect_invalid_code(sandbox.bind(created, second_phone, "000000"));
    EXPECT_EQ(sandbox.count("outbox WHERE purpose = 'phone-bound'"), 1) << "a refused Bind tells nobody";
}

TEST_F(BindSecureMobilePhone, SucceedsInXmlAndInTheOlderVersionToo) {
    const auto bound = sandbox.bind(blue_id, good_phone, sent_code(), {.version = "2020-03-31", .scheme = Scheme::v1_get, .format = ""});
    EXPECT_EQ(bound.status, 200);
    EXPECT_EQ(bound.content_type, "text/xml;charset=utf-8");
    EXPECT_EQ(bound.body, "<?xml version='1.0' encoding='UTF-8'?><BindSecureMobilePhoneResponse><RequestId>" + bound.request_id + "</RequestId></BindSecureMobilePhoneResponse>");
}

TEST_F(BindSecureMobilePhone, WrongCodeIsCountedEvenThoughTheBindIsRefused) {
    const auto code = sent_code();
    expect_invalid_code(sandbox.bind(blue_id, good_phone, Sandbox::wrong(code)));
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 1 AND failures = 1"), 1);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).status, 200);
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND failures = 0 AND state = 'consumed'"), 1) << "success forgets the failures";
}

TEST_F(BindSecureMobilePhone, SixthGuessIsRefusedThoughItIsRight) {
    const auto code = sent_code();
    for (int i = 0; i < 5; ++i) expect_invalid_code(sandbox.bind(blue_id, good_phone, Sandbox::wrong(code)));
    expect_invalid_code(sandbox.bind(blue_id, good_phone, code));
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", blue_id}}).text("/Account/HasSecureMobilePhone"), "false");
}

TEST_F(BindSecureMobilePhone, CodeIsRedeemedOnce) {
    const auto code = sent_code();
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).status, 200);
    expect(sandbox.bind(blue_id, good_phone, code), 409, "AccountSecureMobileAlreadyExists", "The secure mobile number of the member already exists.");
}

TEST_F(BindSecureMobilePhone, CodeExpiresAfterTenMinutes) {
    const auto code = sent_code();
    sandbox.clock().advance_ms(10 * base::minute_ms);
    expect_invalid_code(sandbox.bind(blue_id, good_phone, code));
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 0"), 1) << "nothing is compared with an expired code";
}

TEST_F(BindSecureMobilePhone, CodeOfOnePhoneDoesNotBindAnother) {
    const auto code = sent_code();
    expect_invalid_code(sandbox.bind(blue_id, second_phone, code));
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 1"), 1);
}

TEST_F(BindSecureMobilePhone, CodeOfOneAccountDoesNotBindAnother) {
    const auto created = sandbox.call("CreateResourceAccount", {{"DisplayName", "team-green"}});
    const auto green = created.text("/Account/AccountId");
    const auto code = sent_code();
    EXPECT_EQ(sandbox.send_code(green, good_phone).status, 200);
    if (code != sandbox.code_of(green, good_phone)) expect_invalid_code(sandbox.bind(green, good_phone, code));
}

TEST_F(BindSecureMobilePhone, SendToAnotherPhoneSupersedesTheCode) {
    const auto first = sent_code();
    const auto second = sent_code(blue_id, second_phone);
    expect_invalid_code(sandbox.bind(blue_id, good_phone, first));
    EXPECT_EQ(sandbox.bind(blue_id, second_phone, second).status, 200);
}

TEST_F(BindSecureMobilePhone, WhatIsNotSixDigitsAnswersAsAWrongCodeAndCountsNothing) {
    sent_code();
    for (const auto* code : {"12345", "1234567", "abcdef", "12345\xD9\xA1", "      "}) expect_invalid_code(sandbox.bind(blue_id, good_phone, code));
    EXPECT_EQ(sandbox.count("verifications WHERE account_id = '1000000000000002' AND attempts = 0"), 1);
}

TEST_F(BindSecureMobilePhone, WithoutACodeUnderWayTheAnswerIsTheSame) { expect_invalid_code(sandbox.bind(blue_id, good_phone, "123456")); }

TEST_F(BindSecureMobilePhone, TenFailuresLockTheAccountAndANewCodeDoesNotForgetThem) {
    for (int round = 0; round < 2; ++round) {
        const auto code = sent_code();
        for (int i = 0; i < 5; ++i) expect_invalid_code(sandbox.bind(blue_id, good_phone, Sandbox::wrong(code)));
        sandbox.clock().advance_ms(11 * base::minute_ms);
    }
    // The tenth failure locked it for 15 minutes, of which 11 are over.
    const auto refused = sandbox.send_code();
    expect(refused, 409, "SendValidateCodeExceedsLimitForAccount", "For the same account, the number of verification codes sent exceeds the limit.");
    EXPECT_NE(refused.text("/Recommend").find("seconds"), std::string::npos) << refused;
    sandbox.clock().advance_ms(5 * base::minute_ms);
    const auto code = sent_code();
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, code).status, 200);
}

TEST_F(BindSecureMobilePhone, LockedGuardRefusesTheRightCode) {
    sent_code();
    sandbox.engine().write_and_wait([](db::Transaction& tx) {
        static constexpr db::Sql sql{"UPDATE verifications SET failures = 50 WHERE account_id = '1000000000000002'"};
        tx.run(sql);
    });
    expect_invalid_code(sandbox.bind(blue_id, good_phone, sandbox.code_of()));
}

TEST_F(BindSecureMobilePhone, EachDocumentedErrorHasItsStateAndItsText) {
    expect(sandbox.bind(nameless_member_id, good_phone, "123456", {.key = nameless_key}), 409, "Invalid.EnterpriseName", "You must specify the enterprise name.");
    expect(sandbox.bind(unverified_member_id, good_phone, "123456", {.key = unverified_key}), 409, "EnterpriseRealNameVerificationError",
           "The specified account does not pass enterprise real-name verification. We recommend you first complete enterprise real-name verification for the account.");
    expect(sandbox.bind(management_id, good_phone, "123456"), 409, "EntityAlreadyExists.ResourceDirectory",
           "The resource directory for the account is already enabled. We recommend that you do not enable the resource directory again.");
    expect(sandbox.bind(joined_id, good_phone, "123456"), 409, "AccountTypeMismatch", "The type or status of the member account cannot satisfy the current operation.");
    expect(sandbox.bind(red_id, good_phone, "123456"), 409, "AccountSecureMobileAlreadyExists", "The secure mobile number of the member already exists.");
    expect(sandbox.bind(blue_id, good_phone, "123456", {.key = root_key}), 409, "CallerIdentityError", "Please use the RAM user or role of the Management Account.");
    expect(sandbox.bind(blue_id, good_phone, "123456", {.key = member_key}), 409, "CallerIdentityError", "Please use the RAM user or role of the Management Account.");
    for (const auto& id : {other_id, other_member_id})
        expect(sandbox.bind(id, good_phone, "123456"), 409, "NotSupport.AccountInAnotherResourceDirectory",
               "Your account is a management account for another resource directory or a member of another resource directory.");
    expect(sandbox.bind(outside_id, good_phone, "123456"), 404, "EntityNotExists.Account", "This resource directory account does not exist.");
    expect(sandbox.bind("1999999999999999", good_phone, "123456"), 404, "EntityNotExists.Account", "This resource directory account does not exist.");
    expect(sandbox.bind(blue_id, "86-13900001234", "123456"), 409, "InvalidParameter.MobileCountryCode", "The current site does not support the country code.");
    expect(sandbox.bind(blue_id, "65-61234567", "123456"), 400, "InvalidParameter.SecureMobilePhone", "The SecureMobilePhone is invalid.");
    expect(sandbox.bind(blue_id, "+6581234567", "123456"), 400, "InvalidParameter.SecureMobilePhone", "The SecureMobilePhone is invalid.");
    expect(sandbox.bind("138660628348****", good_phone, "123456"), 400, "InvalidParameter.AccountId", "The AccountId is invalid.");
    sandbox.settings().disabled_actions = {"BindSecureMobilePhone"};
    expect(sandbox.bind(blue_id, good_phone, "123456"), 400, "NotSupport.Site.Action", "Site does not allow current action.");
    expect(sandbox.bind(blue_id, good_phone, "123456", {.key = nobody_key}), 403, "NoPermission", "You are not authorized to do this action. You should be authorized by RAM.");
}

TEST_F(BindSecureMobilePhone, MissingParametersAreNamed) {
    expect(sandbox.call("BindSecureMobilePhone", {}), 400, "MissingAccountId", "AccountId is mandatory for this action.");
    expect(sandbox.call("BindSecureMobilePhone", {{"AccountId", blue_id}}), 400, "MissingSecureMobilePhone", "SecureMobilePhone is mandatory for this action.");
    expect(sandbox.call("BindSecureMobilePhone", {{"AccountId", blue_id}, {"SecureMobilePhone", good_phone}, {"VerificationCode", ""}}), 400, "MissingVerificationCode",
           "VerificationCode is mandatory for this action.");
}

TEST_F(BindSecureMobilePhone, TheChinaSiteTakesOnlyChineseNumbers) {
    sandbox.settings().site = base::Site::china;
    EXPECT_EQ(sandbox.send_code(blue_id, good_phone).code(), "InvalidParameter.MobileCountryCode");
    EXPECT_EQ(sandbox.bind(blue_id, "86-13900001234", sent_code(blue_id, "86-13900001234")).status, 200);
}

TEST_F(BindSecureMobilePhone, RecordNamesTheCallerAndHidesPhoneAndCode) {
    const auto code = sent_code();
    const auto bound = sandbox.bind(blue_id, good_phone, code);
    const auto event = sandbox.events().back();
    EXPECT_EQ(event.at("eventName").as_string(), "BindSecureMobilePhone");
    EXPECT_EQ(event.at("requestId").as_string(), std::string_view(bound.request_id));
    EXPECT_EQ(event.at("userIdentity").at("arn").as_string(), "acs:ram::1000000000000001:user/admin");
    EXPECT_EQ(event.at("userIdentity").at("accessKeyId").as_string(), "LTAIsandboxAdmin001");
    EXPECT_EQ(event.at("sourceIpAddress").as_string(), "192.0.2.7");
    EXPECT_EQ(event.at("requestParameters").at("SecureMobilePhone").as_string(), "***");
    EXPECT_EQ(event.at("requestParameters").at("VerificationCode").as_string(), "***");
    EXPECT_EQ(event.at("requestParameters").at("AccountId").as_string(), std::string_view(blue_id));
    EXPECT_FALSE(event.contains("errorCode"));
    EXPECT_TRUE(event.contains("pii"));
    // The two calls are about the same person.
    EXPECT_EQ(event.at("subject_ref"), sandbox.events().front().at("subject_ref"));
    EXPECT_EQ(sandbox.everything().find("81234567"), std::string::npos);
}

TEST_F(BindSecureMobilePhone, InStrictAPhoneInUseElsewhereShowsOnlyAfterPossessionWasProved) {
    sandbox.settings().strict.accounts_per_phone = 1;
    const auto green = sandbox.call("CreateResourceAccount", {{"DisplayName", "team-green"}}).text("/Account/AccountId");
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sent_code()).status, 200);
    const auto code = sent_code(green, good_phone);
    expect_invalid_code(sandbox.bind(green, good_phone, code));
    EXPECT_EQ(sandbox.count(("verifications WHERE account_id = '" + green + "' AND state = 'pending'").c_str()), 1) << "the code stays unconsumed";
}

TEST_F(BindSecureMobilePhone, InStrictWrongGuessesOfAPhoneAreCappedOverAllAccounts) {
    sandbox.settings().strict.wrong_per_phone_day = 2;
    const auto code = sent_code();
    for (int i = 0; i < 2; ++i) expect_invalid_code(sandbox.bind(blue_id, good_phone, Sandbox::wrong(code)));
    expect_invalid_code(sandbox.bind(blue_id, good_phone, code));
    sandbox.clock().advance_ms(25 * base::hour_ms);
    EXPECT_EQ(sandbox.bind(blue_id, good_phone, sent_code()).status, 200);
}

}  // namespace
}  // namespace openrd::tests
