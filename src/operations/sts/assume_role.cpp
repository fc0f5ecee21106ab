// AssumeRole lends a role to a RAM user or role for a while. Both sides must agree: the caller's policies and the role's trust
// policy, which the pipeline asks. The session is in its token: nothing is stored.
#include "api/faults.hpp"
#include "api/operation.hpp"
#include "base/identifiers.hpp"
#include "base/secret.hpp"
#include "base/time_text.hpp"
#include "keys/session_token.hpp"
#include "operations/sts/role_arn.hpp"
#include "policy/document.hpp"
#include "store/identities.hpp"

#include <stdexcept>

namespace openrd::operations::sts {
namespace {

struct Request {
    std::int64_t duration_seconds = 3600;
    std::optional<std::string> external_id;
    std::optional<std::string> policy;
    std::string role_arn;
    std::string session_name;
    std::optional<std::string> source_identity;
};

struct AssumedRoleUser {
    std::string arn, id;
};
constexpr api::Field<AssumedRoleUser> assumed_role_user_fields[] = {
    api::field<&AssumedRoleUser::arn>("Arn"),
    api::field<&AssumedRoleUser::id>("AssumedRoleId"),
};

struct Credentials {
    std::string access_key_id;
    base::Secret access_key_secret;
    std::string expiration;
    base::Secret security_token;
};
constexpr api::Field<Credentials> credentials_fields[] = {
    api::field<&Credentials::access_key_id>("AccessKeyId"),
    api::field<&Credentials::access_key_secret>("AccessKeySecret"),
    api::field<&Credentials::expiration>("Expiration"),
    api::field<&Credentials::security_token>("SecurityToken"),
};

struct Answer {
    AssumedRoleUser user;
    Credentials credentials;
    std::optional<std::string> source_identity;
};

constexpr api::Rule duration_rule{.says = "900 seconds to the role's own maximum", .range = {900, 43200}, .refused_as = &fault::invalid_duration};
constexpr api::Rule external_id_rule{
    .says = "2 to 1224 letters, digits and _+=,.@:/-", .length = {2, 1224}, .alphabet = "a-zA-Z0-9_+=,.@:/-", .refused_as = &fault::sts_invalid_parameter};
constexpr api::Rule policy_rule{.says = "a policy of at most 2048 characters, without Condition",
                                .length = {1, 2048},
                                .refused_as = &fault::invalid_policy_grammar,
                                .wrong_length_as = &fault::invalid_policy_size};
constexpr api::Rule role_arn_rule{
    .says = "acs:ram::<account>:role/<name>", .holds = [](std::string_view s) { return parse_role_arn(s).has_value(); }, .refused_as = &fault::sts_invalid_parameter};
constexpr api::Rule session_name_rule{.says = "2 to 64 letters, digits and .@-_", .length = {2, 64}, .alphabet = "a-zA-Z0-9.@_-", .refused_as = &fault::sts_invalid_parameter};
constexpr api::Rule source_identity_rule{.says = "2 to 64 letters, digits and .@-_=,", .length = {2, 64}, .alphabet = "a-zA-Z0-9.@_=,-"};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "AssumeRole",
    .summary = "Obtains temporary credentials of a role.",
    .served_as = {api::sts_2015},
    .effect = api::Effect::write,
    .action = "sts:AssumeRole",
    .resource = api::role<&Request::role_arn>,
    .callers = api::Callers::any_account,
    .holds = api::Holds::nothing,
    .parameters{
        api::optional<&Request::duration_seconds>("DurationSeconds", duration_rule),
        api::optional<&Request::external_id>("ExternalId", external_id_rule),
        api::optional<&Request::policy>("Policy", policy_rule),
        api::required<&Request::role_arn>("RoleArn", role_arn_rule),
        api::required<&Request::session_name>("RoleSessionName", session_name_rule),
        api::optional<&Request::source_identity>("SourceIdentity", source_identity_rule),
    },
    .answer{
        api::field<&Answer::user>("AssumedRoleUser", assumed_role_user_fields),
        api::field<&Answer::credentials>("Credentials", credentials_fields),
        api::field<&Answer::source_identity>("SourceIdentity"),
    },
    .faults = {fault::invalid_duration, fault::invalid_policy_grammar},
    .run = run,
};

Answer run(const Request& request, api::Call& call) {
    const auto arn = parse_role_arn(request.role_arn);
    const auto role = arn ? store::find_role_by_name(call.transaction, arn->account_id, arn->role_name) : std::nullopt;
    if (!role) throw std::logic_error("the role that was authorized is not there");  // the pipeline answers EntityNotExist.Role
    if (request.duration_seconds > role->max_session_seconds) throw operation.fault(fault::invalid_duration);
    if (request.policy && !policy::Document::parse(*request.policy, policy::Kind::identity)) throw operation.fault(fault::invalid_policy_grammar);

    const keys::Session session{.access_key_id = base::identifier("STS.NU", 18),
                                .secret = base::Secret(base::identifier({}, 44)),
                                .account_id = role->account_id,
                                .role_id = role->role_id,
                                .role_name = role->role_name,
                                .session_name = request.session_name,
                                .issued_at_ms = call.now_ms,
                                .expires_at_ms = call.now_ms + request.duration_seconds * base::second_ms,
                                .policy = request.policy.value_or(std::string()),
                                // What a chain of roles began with goes on to its end.
                                .source_identity = call.caller.source_identity.empty() ? request.source_identity.value_or(std::string()) : call.caller.source_identity};
    call.concerns(api::role_resource, role->role_name);
    return {.user = {"acs:ram::" + role->account_id + ":role/" + role->role_name + "/" + request.session_name, role->role_id + ":" + request.session_name},
            .credentials = {session.access_key_id, session.secret, base::utc_seconds(session.expires_at_ms), keys::seal_session(call.ring, session)},
            .source_identity = session.source_identity.empty() ? std::nullopt : std::optional(session.source_identity)};
}

}  // namespace

extern constinit const api::AnyOperation assume_role{operation};

}  // namespace openrd::operations::sts
