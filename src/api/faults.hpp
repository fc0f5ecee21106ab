#pragma once
// The catalogue: every code, status and text that openrd answers, each once. Sources: contract/ (the vendor's tables; the
// contract test compares), protocol.md E for the gateway's, decisions.md where it is named. %s in code and message stands for
// what Fault::about was given.
#include "api/fault.hpp"

namespace openrd::fault {
using Kind = api::FaultKind;

// ---- The gateway's, before an operation runs (protocol.md E) ----
inline constexpr Kind unsupported_operation{"UnsupportedOperation", 400, "The operation is not supported yet."};  // house.md 4
inline constexpr Kind action_not_found{"InvalidAction.NotFound", 404, "Specified api is not found, please check your url and method."};
inline constexpr Kind invalid_version{"InvalidVersion", 400, "Specified parameter Version is not valid."};
inline constexpr Kind need_ssl{"InvalidProtocol.NeedSsl", 400, "Your request is denied as lack of ssl protect."};
inline constexpr Kind unsupported_method{"UnsupportedHTTPMethod", 400, "This http method is not supported."};
inline constexpr Kind request_too_large_body{"RequestTooLarge", 413, "The request body is too large."};
inline constexpr Kind request_too_large_target{"RequestTooLarge", 414, "The request target is too long."};
inline constexpr Kind request_too_large_header{"RequestTooLarge", 431, "The request header is too large."};
inline constexpr Kind request_timeout{"RequestTimeout", 408, "The request was not received in time."};
inline constexpr Kind bad_request{"InvalidRequest", 400, "The request is not a valid HTTP request."};
inline constexpr Kind missing{"Missing%s", 400, "%s is mandatory for this action."};
inline constexpr Kind invalid_value{"Invalid%s", 400, "Specified parameter %s is not valid."};
// Repeated, too many, too large an index, not text (decisions.md J).
inline constexpr Kind invalid_parameter_collected{"InvalidParameter", 400, "The specified value of parameter \"%s\" is not valid."};
inline constexpr Kind invalid_format{"InvalidParameter.Format", 400, "Specified parameter format is not valid."};
inline constexpr Kind invalid_signature_method{"InvalidSignatureMethod", 400, "Specified signature method is not valid."};
inline constexpr Kind invalid_signature_version{"InvalidSignatureVersion", 400, "Specified parameter SignatureVersion is not valid."};
inline constexpr Kind incomplete_signature{"IncompleteSignature", 400, "The request signature does not conform to Aliyun standards."};
inline constexpr Kind timestamp_format{"InvalidTimeStamp.Format", 400, "Specified time stamp or date value is not well formatted."};
inline constexpr Kind timestamp_expired{"InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired."};
inline constexpr Kind access_key_not_found{"InvalidAccessKeyId.NotFound", 404, "Specified access key is not found."};
inline constexpr Kind access_key_inactive{"InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled."};
inline constexpr Kind missing_security_token{"MissingSecurityToken", 400, "SecurityToken is mandatory for this action."};
inline constexpr Kind token_malformed{"InvalidSecurityToken.Malformed", 400, "Specified SecurityToken is malformed."};
inline constexpr Kind token_expired{"InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired."};
inline constexpr Kind token_mismatch{"InvalidSecurityToken.MismatchWithAccessKey", 400, "Specified SecurityToken mismatch with the AccessKey."};
// The tail is what the SDKs take apart (protocol.md E.1).
inline constexpr Kind signature_does_not_match_v1{"SignatureDoesNotMatch", 400, "Specified signature is not matched with our calculation. server string to sign is:%s"};
inline constexpr Kind signature_does_not_match_v3{"SignatureDoesNotMatch", 400, "Specified signature does not match our calculation. server StringToSign is [%s]"};
inline constexpr Kind content_md5_not_matched{"ContentMD5NotMatched", 400, "The Content-MD5 header does not match the body."};
inline constexpr Kind nonce_used{"SignatureNonceUsed", 400, "Specified signature nonce was used already."};
inline constexpr Kind throttled{"Throttling.User", 400, "Request was denied due to user flow control."};
inline constexpr Kind no_permission{"NoPermission", 403, "You are not authorized to do this action. You should be authorized by RAM."};
inline constexpr Kind internal_error{"InternalError", 500, "The request processing has failed due to some unknown error, exception or failure."};
inline constexpr Kind service_unavailable{"ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server."};

// ---- What a product's table says of a parameter; %s is its name ----
inline constexpr Kind invalid_parameter{"InvalidParameter.%s", 400, "The %s is invalid."};
inline constexpr Kind missing_parameter{"MissingParameter.%s", 400, "You must specify %s."};

// ---- ResourceManager 2020-03-31 and ResourceDirectoryMaster 2022-04-19 ----
inline constexpr Kind not_support_site_action{"NotSupport.Site.Action", 400, "Site does not allow current action."};
inline constexpr Kind account_secure_mobile_already_exists{"AccountSecureMobileAlreadyExists", 409, "The secure mobile number of the member already exists."};
inline constexpr Kind account_type_mismatch{"AccountTypeMismatch", 409, "The type or status of the member account cannot satisfy the current operation."};
inline constexpr Kind caller_identity_error{"CallerIdentityError", 409, "Please use the RAM user or role of the Management Account."};
inline constexpr Kind enterprise_verification_error{
    "EnterpriseRealNameVerificationError", 409,
    "The specified account does not pass enterprise real-name verification. We recommend you first complete enterprise real-name verification for the account."};
inline constexpr Kind directory_already_exists{"EntityAlreadyExists.ResourceDirectory", 409,
                                               "The resource directory for the account is already enabled. We recommend that you do not enable the resource directory again."};
inline constexpr Kind invalid_enterprise_name{"Invalid.EnterpriseName", 409, "You must specify the enterprise name."};
inline constexpr Kind invalid_verification_code{"Invalid.VerificationCode", 409, "The verification code is invalid."};
// Two published texts (decisions.md D): Bind has the source document's, Send and EnableResourceDirectory their tables'.
inline constexpr Kind account_in_another_directory_of_bind{"NotSupport.AccountInAnotherResourceDirectory", 409,
                                                           "Your account is a management account for another resource directory or a member of another resource directory."};
inline constexpr Kind account_in_another_directory{"NotSupport.AccountInAnotherResourceDirectory", 409,
                                                   "The specified account is an Alibaba Cloud account or already exists in another resource directory."};
inline constexpr Kind send_limit_exceeded{"SendValidateCodeExceedsLimitForAccount", 409, "For the same account, the number of verification codes sent exceeds the limit."};
inline constexpr Kind invalid_mobile_country_code{"InvalidParameter.MobileCountryCode", 409, "The current site does not support the country code."};
inline constexpr Kind invalid_secure_mobile_phone{"InvalidParameter.SecureMobilePhone", 400, "The SecureMobilePhone is invalid."};

inline constexpr Kind account_not_exists{"EntityNotExists.Account", 404, "This resource directory account does not exist."};
inline constexpr Kind folder_not_exists{"EntityNotExists.Folder", 404, "The resource directory folder does not exist."};
inline constexpr Kind directory_not_exists{"EntityNotExists.ResourceDirectory", 404,
                                           "The resource directory for the account is not enabled. We recommend that you first enable the resource directory for the account."};
inline constexpr Kind directory_not_in_use{"ResourceDirectoryNotInUse", 404,
                                           "The specified account is not an Alibaba Cloud account or a member account of the resource directory."};
inline constexpr Kind next_token_too_long{"InvalidParameter.NextToken.Length", 400, "The maximum length of NextToken (256 characters) is exceeded."};
inline constexpr Kind invalid_next_token{"InvalidParameter.NextToken", 400, "The NextToken is invalid."};

inline constexpr Kind invalid_account_name_prefix{"InvalidParameter.Account.AccountNamePrefix", 400, "The account name prefix is invalid."};
inline constexpr Kind account_name_prefix_length{"InvalidParameter.Account.AccountNamePrefix.Length", 400, "The account name prefix exceeds the length limit."};
inline constexpr Kind invalid_display_name{"InvalidParameter.Account.DisplayName", 400, "The DisplayName of account is invalid."};
inline constexpr Kind display_name_length{"InvalidParameter.Account.DisplayName.Length", 400, "The DisplayName of the account exceeds the length limit."};
inline constexpr Kind display_name_already_used{"InvalidParameter.Account.DisplayName.AlreadyUsed", 409, "The displayname of account has been used."};
inline constexpr Kind missing_display_name{"MissingParameter.Account.DisplayName", 400, "You must specify DisplayName."};
inline constexpr Kind account_name_already_exists{"EntityAlreadyExists.ResourceDirectory.Account", 409,
                                                  "The email address that the system generates when you create a member account already exists. Try again later."};
inline constexpr Kind limit_exceeded_account{"LimitExceeded.Account", 409, "The maximum number of member accounts in a resource directory exceeds the limit."};
inline constexpr Kind not_support_resell_account_type{"NotSupport.SettingResellAccountType", 409,
                                                      "The current account does not support setting the resellAccountType for members."};
inline constexpr Kind payer_in_another_directory{"NotSupport.PayerAccountInAnotherResourceDirectory", 409,
                                                 "The specified settlement account does not exist in the resource directory. You must specify a valid settlement account."};

inline constexpr Kind invalid_folder_name{"InvalidParameter.Folder.Name", 400, "The Name of folder is invalid."};
inline constexpr Kind folder_name_length{"InvalidParameter.Folder.Name.Length", 400, "The Name of folder exceeds the length limit."};
inline constexpr Kind folder_name_already_used{"InvalidParameter.Folder.Name.AlreadyUsed", 400, "The name already exists under the same parent. Please change to another name."};
inline constexpr Kind missing_folder_name{"MissingParameter.Folder.Name", 400, "You must specify the resource folder name."};
inline constexpr Kind folder_depth_exceeded{"LimitExceeded.Folder.Depth", 409, "The folder depth exceeds the limit of 5."};
inline constexpr Kind folder_quota_exceeded{"QuotaExceeded.Folder.Count", 409, "The number of folders exceeds the quota."};

inline constexpr Kind missing_security_info{"MissingSecurityInfo", 409, "Security info is missing."};

// ---- Sts 2015-04-01 (its table publishes no texts: protocol.md H.3) ----
inline constexpr Kind sts_no_permission{
    "NoPermission", 403, "No permission perform sts:AssumeRole on this Role. Maybe you are not authorized to perform sts:AssumeRole or the specified role does not trust you"};
inline constexpr Kind sts_root_may_not{"NoPermission", 403, "Roles may not be assumed by root accounts."};
inline constexpr Kind role_not_exists{"EntityNotExist.Role", 404, "The role not exists."};
inline constexpr Kind sts_invalid_parameter{"InvalidParameter.%s", 400, "The parameter %s is wrongly formed."};
inline constexpr Kind invalid_duration{"InvalidParameter.DurationSeconds", 400, "The Min/Max value of DurationSeconds is 15min/1hr."};
inline constexpr Kind invalid_policy_size{"InvalidParameter.PolicySize", 400, "The parameter Policy exceeds the size limit."};
inline constexpr Kind invalid_policy_grammar{"InvalidParameter.PolicyGrammar", 400, "The parameter Policy has not passed grammar check."};

// ---- Actiontrail 2020-07-06 (its table publishes no texts) ----
inline constexpr Kind invalid_start_time{"InvalidParameterStartTime", 400, "The StartTime is invalid."};
inline constexpr Kind invalid_end_time{"InvalidParameterEndTime", 400, "The EndTime is invalid."};
inline constexpr Kind invalid_query_parameter{"InvalidQueryParameter", 400, "The query parameter is invalid."};
inline constexpr Kind invalid_parameter_combination{"InvalidParameterCombination", 400, "The combination of parameters is invalid."};

}  // namespace openrd::fault
