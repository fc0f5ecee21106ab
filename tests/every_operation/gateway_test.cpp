// The gateway's answers, before an operation runs: protocol.md E, decisions.md J.
#include "base/time_text.hpp"
#include "store/access_keys.hpp"
#include "store/policies.hpp"
#include "support/sandbox.hpp"
#include "wire/percent.hpp"

#include <gtest/gtest.h>

namespace openrd::tests {
namespace {

struct Gateway : testing::Test {
    Sandbox sandbox;
    Wire plain(const std::string& target, const std::string& method = "GET") { return {.method = method, .target = target, .body = {}, .headers = {{"Host", "rd.example:8080"}}}; }
    void expect(const Answer& answer, int status, std::string_view code, std::string_view message) {
        EXPECT_EQ(answer.status, status) << answer;
        EXPECT_EQ(answer.code(), code) << answer;
        EXPECT_EQ(answer.message(), message) << answer;
    }
    // The signed request with one header or parameter replaced.
    static void replace(Wire& wire, const std::string& header, const std::string& value) {
        for (auto& [name, old] : wire.headers)
            if (name == header) old = value;
    }
    static void replace_in_target(Wire& wire, const std::string& from, const std::string& to) { wire.target.replace(wire.target.find(from), from.size(), to); }
};

TEST_F(Gateway, NamesTheMissingCommonParameters) {
    expect(sandbox.send(plain("/?Format=JSON")), 400, "MissingAction", "Action is mandatory for this action.");
    expect(sandbox.send(plain("/?Format=JSON&Action=GetAccount")), 400, "MissingVersion", "Version is mandatory for this action.");
    expect(sandbox.send(plain("/?Format=JSON&Action=GetAccount&Version=2022-04-19")), 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.");
    const std::string begun = "/?Format=JSON&Action=GetAccount&Version=2022-04-19&AccessKeyId=x";
    expect(sandbox.send(plain(begun)), 400, "MissingSignatureMethod", "SignatureMethod is mandatory for this action.");
    expect(sandbox.send(plain(begun + "&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=n")), 400, "MissingSignature", "Signature is mandatory for this action.");
    expect(sandbox.send(plain(begun + "&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=n&Signature=s")), 400, "MissingTimestamp",
           "Timestamp is mandatory for this action.");
}

TEST_F(Gateway, UnsignedRequestOfAV3ClientIsToldThatItsKeyIsMissing) {
    auto wire = plain("/?Format=JSON", "POST");
    wire.headers.insert(wire.headers.end(), {{"x-acs-action", "GetAccount"}, {"x-acs-version", "2022-04-19"}});
    expect(sandbox.send(wire), 400, "MissingAccessKeyId", "AccessKeyId is mandatory for this action.");
    wire.headers.emplace_back("x-acs-bearer-token", "t");
    expect(sandbox.send(wire), 400, "InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.");
}

TEST_F(Gateway, ResolvesVersionsAndActions) {
    expect(sandbox.send(plain("/?Format=JSON&Action=GetAccount&Version=1999-01-01")), 400, "InvalidVersion", "Specified parameter Version is not valid.");
    expect(sandbox.send(plain("/?Format=JSON&Action=MakeCoffee&Version=2022-04-19")), 404, "InvalidAction.NotFound",
           "Specified api is not found, please check your url and method.");
    expect(sandbox.send(plain("/?Format=JSON&Action=AttachControlPolicy&Version=2022-04-19")), 400, "UnsupportedOperation", "The operation is not supported yet.");
    EXPECT_EQ(sandbox.call("getresourceDIRECTORY").status, 200) << "actions are compared without regard to case";
    expect(sandbox.send(plain("/api/?Format=JSON")), 404, "InvalidAction.NotFound", "Specified api is not found, please check your url and method.");
}

TEST_F(Gateway, TakesOnlyGetAndPost) {
    const auto answer = sandbox.send(plain("/?Format=JSON", "PUT"));
    EXPECT_EQ(answer.status, 400);
    EXPECT_NE(answer.body.find("UnsupportedHTTPMethod"), std::string::npos);
}

TEST_F(Gateway, FormatIsReadWithoutRegardToCaseAndOthersAreRefused) {
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.format = "xMl"}).content_type, "text/xml;charset=utf-8");
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.format = ""}).content_type, "application/json;charset=utf-8") << "V3 without Format";
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.scheme = Scheme::v1_get, .format = ""}).content_type, "text/xml;charset=utf-8") << "V1 without Format";
    expect(sandbox.call("GetResourceDirectory", {}, {.format = "yaml"}), 400, "InvalidParameter.Format", "Specified parameter format is not valid.");
}

TEST_F(Gateway, TimestampsHaveAWindowOfAQuarterOfAnHour) {
    auto wire = sandbox.sign("GetResourceDirectory", {}, {});
    replace(wire, "x-acs-date", "today");
    expect(sandbox.send(wire), 400, "InvalidTimeStamp.Format", "Specified time stamp or date value is not well formatted.");
    sandbox.settings().sandbox = false;
    for (const std::int64_t off : {-16 * base::minute_ms, 16 * base::minute_ms}) {
        replace(wire, "x-acs-date", base::utc_seconds(sandbox.clock().now_ms() + off));
        expect(sandbox.send(wire), 400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.");
    }
}

TEST_F(Gateway, SandboxTakesRealTimeAfterItsClockWasMoved) {
    const auto real = sandbox.sign("GetResourceDirectory", {}, {});
    sandbox.clock().advance_ms(30 * base::day_ms);
    EXPECT_EQ(sandbox.send(real).status, 200);
    EXPECT_EQ(sandbox.call("GetResourceDirectory").status, 200) << "and its own";
}

TEST_F(Gateway, KeysAreLookedUpBeforeTheSignature) {
    expect(sandbox.call("GetResourceDirectory", {}, {.key = {"LTAInobodyknowsit01", "x", ""}}), 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
    // A header may hold any bytes; no database is asked for what is no text.
    expect(sandbox.call("GetResourceDirectory", {}, {.key = {"LTAI\xFF\xC0\x80", "x", ""}}), 404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.");
    sandbox.engine().write_and_wait([](db::Transaction& tx) { store::set_access_key_status(tx, reader_key.id, store::key_inactive); });
    expect(sandbox.call("GetResourceDirectory", {}, {.key = reader_key}), 400, "InvalidAccessKeyId.Inactive", "Specified access key is disabled.");
}

TEST_F(Gateway, WrongSignatureIsAnsweredInTheFormThatClientsTakeApart) {
    auto wire = sandbox.sign("GetResourceDirectory", {}, {.key = {admin_key.id, "wrong", ""}, .scheme = Scheme::v1_get});
    const auto v1 = sandbox.send(wire);
    EXPECT_EQ(v1.status, 400);
    EXPECT_EQ(v1.code(), "SignatureDoesNotMatch");
    const std::string prefix = "Specified signature is not matched with our calculation. server string to sign is:GET&%2F&";
    EXPECT_TRUE(v1.message().starts_with(prefix)) << v1;
    EXPECT_EQ(std::ranges::count(v1.message(), ':'), 1) << "exactly one colon: Python's client splits there";
    const auto v3 = sandbox.call("GetResourceDirectory", {}, {.key = {admin_key.id, "wrong", ""}});
    EXPECT_EQ(v3.status, 400);
    EXPECT_TRUE(v3.message().starts_with("Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256\n")) << v3;
    EXPECT_NE(v3.message().find("] server CanonicalRequest is [POST\n/\n"), std::string::npos) << v3;
}

TEST_F(Gateway, OtherSignaturesAreRefusedByName) {
    auto wire = sandbox.sign("GetResourceDirectory", {}, {});
    replace(wire, "authorization", "ACS3-RSA-SHA256 Credential=a,SignedHeaders=b,Signature=c");
    expect(sandbox.send(wire), 400, "InvalidSignatureMethod", "Specified signature method is not valid.");
    replace(wire, "authorization", "ACS3-HMAC-SHA256 nonsense");
    EXPECT_EQ(sandbox.send(wire).code(), "IncompleteSignature");
    auto roa = plain("/?Format=JSON&Action=GetAccount&Version=2022-04-19");
    roa.headers.emplace_back("Authorization", "acs key:signature");
    EXPECT_EQ(sandbox.send(roa).code(), "IncompleteSignature");
}

TEST_F(Gateway, V3SignsWhatCouldBeReplayedOtherwise) {
    auto wire = sandbox.sign("GetResourceDirectory", {}, {});
    for (auto& [name, value] : wire.headers)
        if (name == "authorization") value.replace(value.find("x-acs-signature-nonce;"), std::string("x-acs-signature-nonce;").size(), "");
    EXPECT_EQ(sandbox.send(wire).code(), "IncompleteSignature");
    wire = sandbox.sign("GetResourceDirectory", {}, {});
    wire.body = "AccountId=1";
    EXPECT_EQ(sandbox.send(wire).code(), "SignatureDoesNotMatch") << "a body whose hash is not the signed one";
    wire.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
    EXPECT_EQ(sandbox.send(wire).code(), "IncompleteSignature") << "a body of parameters whose type is not signed";
}

TEST_F(Gateway, NonceIsUsedOnceAndOnlyByItsOwner) {
    auto wire = sandbox.sign("GetResourceDirectory", {}, {.nonce = "n-1"});
    auto forged = wire;
    replace(forged, "x-acs-date", base::utc_seconds(sandbox.clock().now_ms() - 1000));
    EXPECT_EQ(sandbox.send(forged).code(), "SignatureDoesNotMatch");
    EXPECT_EQ(sandbox.send(wire).status, 200) << "a wrong signature does not use up the nonce";
    expect(sandbox.send(wire), 400, "SignatureNonceUsed", "Specified signature nonce was used already.");
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.key = reader_key, .nonce = "n-1"}).status, 200) << "nonces are of a key";
}

TEST_F(Gateway, MovedClockDoesNotMakeAUsedNonceGoodAgain) {
    const auto wire = sandbox.sign("GetResourceDirectory", {}, {});
    EXPECT_EQ(sandbox.send(wire).status, 200);
    for (int i = 0; i < 6; ++i) {
        sandbox.clock().advance_ms(11 * base::minute_ms);
        EXPECT_EQ(sandbox.call("GetResourceDirectory").status, 200);
        EXPECT_EQ(sandbox.send(wire).code(), "SignatureNonceUsed") << "its time is still good by the real clock";
    }
}

TEST_F(Gateway, NonceOfAWriteIsRememberedOverARestart) {
    const auto wire = sandbox.sign("CreateFolder", {{"FolderName", "once"}}, {});
    const auto refused = sandbox.sign("CreateFolder", {{"FolderName", "no good name"}}, {});
    EXPECT_EQ(sandbox.send(wire).status, 200);
    EXPECT_EQ(sandbox.send(refused).status, 400);
    sandbox.restart();
    EXPECT_EQ(sandbox.send(wire).code(), "SignatureNonceUsed");
    EXPECT_EQ(sandbox.send(refused).code(), "SignatureNonceUsed") << "of a refused one too";
}

TEST_F(Gateway, RefusedParametersAreNamed) {
    const std::string begun = "/?Format=JSON&Action=GetAccount&Version=2022-04-19";
    const auto named = [](std::string_view name) { return "The specified value of parameter \"" + std::string(name) + "\" is not valid."; };
    expect(sandbox.send(plain(begun + "&AccountId=1&AccountId=2")), 400, "InvalidParameter", named("AccountId"));
    expect(sandbox.send(plain(begun + "&Tag.999999999.Key=1")), 400, "InvalidParameter", named("Tag.999999999.Key"));
    expect(sandbox.send(plain(begun + "&AccountId=%00")), 400, "InvalidParameter", named("AccountId"));
    expect(sandbox.send(plain(begun + "&AccountId=%FF%FE")), 400, "InvalidParameter", named("AccountId"));
    std::string many = begun;
    for (int i = 0; i < 10'000; ++i) many += "&p" + std::to_string(i) + "=";
    EXPECT_EQ(sandbox.send(plain(many)).code(), "InvalidParameter");
}

TEST_F(Gateway, JsonBodyIsReadWhenItIsSignedAndNotOtherwise) {
    auto wire = sandbox.sign("GetAccount", {{"AccountId", blue_id}}, {.scheme = Scheme::v1_get});
    wire.method = "GET";
    wire.body = R"({"AccountId":"1000000000000003"})";
    wire.headers.emplace_back("Content-Type", "application/json");
    EXPECT_EQ(sandbox.send(wire).text("/Account/AccountId"), blue_id) << "V1 does not sign a JSON body: it is no parameter";
}

TEST_F(Gateway, ContentMd5IsCheckedWhenItIsSent) {
    auto wire = sandbox.sign("GetResourceDirectory", {}, {.scheme = Scheme::v1_post});
    wire.headers.emplace_back("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==");
    EXPECT_EQ(sandbox.send(wire).code(), "ContentMD5NotMatched");
}

TEST_F(Gateway, RatesAreCountedByAccountAndOperationAndRecordedOnceAMinute) {
    sandbox.settings().rates.enforced = true;
    sandbox.clock().freeze(true);
    int throttled = 0;
    for (int i = 0; i < 60; ++i) {
        const auto answer = sandbox.call("ListAccounts");
        if (answer.status == 200) continue;
        ++throttled;
        EXPECT_EQ(answer.code(), "Throttling.User");
        EXPECT_EQ(answer.message(), "Request was denied due to user flow control.");
        EXPECT_FALSE(answer.headers.empty()) << "x-acs-retry-after";
    }
    EXPECT_EQ(throttled, 10) << "50 a second";
    EXPECT_EQ(sandbox.call("ListFoldersForParent").status, 200) << "another operation";
    sandbox.clock().advance_ms(base::minute_ms);
    sandbox.pipeline().housekeep();
    const auto events = sandbox.events();
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].at("errorCode").as_string(), "Throttling.User");
    EXPECT_EQ(events[0].at("additionalEventData").at("count").as_string(), "10");
}

TEST_F(Gateway, DeniedDetailNamesThePolicyThatDecided) {
    sandbox.engine().write_and_wait([](db::Transaction& tx) {
        store::insert_policy(
            tx, management_id, "no-blue",
            R"({"Version":"1","Statement":[{"Effect":"Deny","Action":"resourcemanager:GetAccount","Resource":"acs:resourcemanager:*:*:account/rd-sandbx/r-sandbx/1000000000000002"}]})",
            0);
        store::attach_policy(tx, management_id, store::principal_user, "200000000000000002", store::policy_of_account, "no-blue", 0);
    });
    const auto denied = sandbox.call("GetAccount", {{"AccountId", blue_id}}, {.key = reader_key});
    EXPECT_EQ(denied.code(), "NoPermission") << denied;
    EXPECT_EQ(denied.text("/AccessDeniedDetail/NoPermissionType"), "ExplicitDeny");
    EXPECT_EQ(denied.text("/AccessDeniedDetail/PolicyType"), "AccountLevelIdentityBasedPolicy");
    EXPECT_EQ(denied.text("/AccessDeniedDetail/AuthPrincipalDisplayName"), "200000000000000002");
    EXPECT_FALSE(denied.text("/AccessDeniedDetail/EncodedDiagnosticMessage").empty());
    EXPECT_EQ(sandbox.call("GetAccount", {{"AccountId", red_id}}, {.key = reader_key}).status, 200);
}

TEST_F(Gateway, KeyThatIsDisabledStopsAtOnce) {
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.key = reader_key}).status, 200);
    sandbox.engine().write_and_wait([](db::Transaction& tx) { store::set_access_key_status(tx, reader_key.id, store::key_inactive); });
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.key = reader_key}).code(), "InvalidAccessKeyId.Inactive");
}

TEST_F(Gateway, WhatIsInTheWrongParameterIsNotRepeatedInTheLog) {
    EXPECT_EQ(sandbox.bind("65-81234567", good_phone, "123456").code(), "InvalidParameter.AccountId");
    EXPECT_EQ(sandbox.events().back().at("requestParameters").at("AccountId").as_string(), "***");
    EXPECT_EQ(sandbox.everything().find("81234567"), std::string::npos);
}

TEST_F(Gateway, RootKeyOfADisabledRootIsInactive) {
    static constexpr db::Sql disable{"UPDATE accounts SET root_enabled = 0 WHERE account_id = '1000000000000001'"};
    sandbox.engine().write_and_wait([](db::Transaction& tx) {
        tx.run(disable);
        tx.changed(db::Topic::identities);
    });
    EXPECT_EQ(sandbox.call("GetResourceDirectory", {}, {.key = root_key}).code(), "InvalidAccessKeyId.Inactive");
    EXPECT_EQ(sandbox.call("GetResourceDirectory").status, 200) << "its users go on";
}

TEST_F(Gateway, FailedOperationIsRecordedToo) {
    static constexpr db::Sql breaks{"ALTER TABLE folders RENAME TO folders_elsewhere"};
    sandbox.engine().write_and_wait([](db::Transaction& tx) { tx.run(breaks); });
    const auto answer = sandbox.call("CreateFolder", {{"FolderName", "x"}}, {.key = root_key});
    EXPECT_EQ(answer.status, 500) << answer;
    EXPECT_EQ(answer.code(), "InternalError");
    EXPECT_EQ(sandbox.events().back().at("errorCode").as_string(), "InternalError");
}

TEST_F(Gateway, ReadsAreRecordedWhenTheSettingSaysSo) {
    sandbox.settings().audit.reads = true;
    const auto answer = sandbox.call("GetResourceDirectory");
    ASSERT_EQ(sandbox.events().size(), 1u);
    EXPECT_EQ(sandbox.events()[0].at("requestId").as_string(), std::string_view(answer.request_id));
    EXPECT_EQ(sandbox.events()[0].at("eventRW").as_string(), "Read");
}

TEST_F(Gateway, PreflightIsAnsweredWithoutASignature) {
    const auto answer = sandbox.send(plain("/", "OPTIONS"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at(0).first, "access-control-allow-methods");
}

}  // namespace
}  // namespace openrd::tests
