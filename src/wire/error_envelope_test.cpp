#include "wire/error_envelope.hpp"

#include <gtest/gtest.h>

namespace openrd::wire {
namespace {

const ErrorAnswer not_found{.request_id = "7F75E7B4-4636-53B4-A8DE-5FC4A9E1F876",
                            .host_id = "resourcedirectory.aliyuncs.com",
                            .code = "EntityNotExists.Account",
                            .message = "This resource directory account does not exist.",
                            .recommend = "https://openrd.example/?q=EntityNotExists.Account&id=1"};

const AccessDenied denied{.auth_action = "resourcemanager:CreateFolder",
                          .auth_principal_type = "SubUser",
                          .auth_principal_owner_id = "1234567890123456",
                          .auth_principal_display_name = "212345678901234567",
                          .no_permission_type = "ImplicitDeny",
                          .policy_type = "AccountLevelIdentityBasedPolicy",
                          .encoded_diagnostic_message = ""};

TEST(ErrorEnvelope, InJson) {
    EXPECT_EQ(error_json(not_found), R"({"RequestId":"7F75E7B4-4636-53B4-A8DE-5FC4A9E1F876","HostId":"resourcedirectory.aliyuncs.com","Code":"EntityNotExists.Account",)"
                                     R"("Message":"This resource directory account does not exist.","Recommend":"https://openrd.example/?q=EntityNotExists.Account&id=1"})");
}

TEST(ErrorEnvelope, InXml) {
    EXPECT_EQ(error_xml(not_found),
              "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>7F75E7B4-4636-53B4-A8DE-5FC4A9E1F876</RequestId><HostId>resourcedirectory.aliyuncs.com</HostId>"
              "<Code>EntityNotExists.Account</Code><Message>This resource directory account does not exist.</Message>"
              "<Recommend><![CDATA[https://openrd.example/?q=EntityNotExists.Account&id=1]]></Recommend></Error>");
}

// SDKs panic on a missing or null one.
TEST(ErrorEnvelope, AlwaysHasItsFiveTexts) {
    EXPECT_EQ(error_json({}), R"({"RequestId":"","HostId":"","Code":"","Message":"","Recommend":""})");
    EXPECT_EQ(error_xml({}),
              "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId></RequestId><HostId></HostId><Code></Code><Message></Message><Recommend><![CDATA[]]></Recommend></Error>");
}

TEST(ErrorEnvelope, SaysWhyAccessIsDeniedAsAnObjectOfTexts) {
    ErrorAnswer error = not_found;
    error.denied = &denied;
    const std::string json = error_json(error), xml = error_xml(error);
    EXPECT_NE(
        json.find(
            R"(,"AccessDeniedDetail":{"AuthAction":"resourcemanager:CreateFolder","AuthPrincipalType":"SubUser","AuthPrincipalOwnerId":"1234567890123456",)"
            R"("AuthPrincipalDisplayName":"212345678901234567","NoPermissionType":"ImplicitDeny","PolicyType":"AccountLevelIdentityBasedPolicy","EncodedDiagnosticMessage":""}})"),
        std::string::npos)
        << json;
    EXPECT_NE(xml.find("</Recommend><AccessDeniedDetail><AuthAction>resourcemanager:CreateFolder</AuthAction><AuthPrincipalType>SubUser</AuthPrincipalType>"
                       "<AuthPrincipalOwnerId>1234567890123456</AuthPrincipalOwnerId><AuthPrincipalDisplayName>212345678901234567</AuthPrincipalDisplayName>"
                       "<NoPermissionType>ImplicitDeny</NoPermissionType><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType>"
                       "<EncodedDiagnosticMessage></EncodedDiagnosticMessage></AccessDeniedDetail></Error>"),
              std::string::npos)
        << xml;
}

TEST(ErrorEnvelope, LetsNothingOutOfItsText) {
    ErrorAnswer error = not_found;
    error.host_id = "a\"},<b>\n";
    error.message = "server string to sign is:GET&%2F&\n\xFF";
    error.recommend = "]]></Recommend><Code>Success</Code>";
    EXPECT_NE(error_json(error).find(R"("HostId":"a\"},<b>\n",)"), std::string::npos);
    EXPECT_NE(error_json(error).find("\"Message\":\"server string to sign is:GET&%2F&\\n\xEF\xBF\xBD\""), std::string::npos);
    EXPECT_NE(error_xml(error).find("<HostId>a&quot;},&lt;b&gt;\n</HostId>"), std::string::npos);
    EXPECT_NE(error_xml(error).find("<![CDATA[]]]]><![CDATA[></Recommend><Code>Success</Code>]]></Recommend></Error>"), std::string::npos);
}

TEST(ErrorEnvelope, HasTheContentTypesByWhichClientsChooseTheirParser) {
    EXPECT_EQ(json_content_type, "application/json;charset=utf-8");
    EXPECT_EQ(xml_content_type, "text/xml;charset=utf-8");
}

}  // namespace
}  // namespace openrd::wire
