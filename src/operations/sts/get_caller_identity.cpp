// GetCallerIdentity asks for nothing and needs no permission: open to every identity that has signed.
#include "api/operation.hpp"

namespace openrd::operations::sts {
namespace {

using Request = api::Nothing;
struct Answer {
    std::string account_id, arn, identity_type, principal_id;
    std::optional<std::string> role_id, user_id;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "GetCallerIdentity",
    .summary = "Says who is calling.",
    .served_as = {api::sts_2015},
    .effect = api::Effect::read,
    .action = api::open_to_all,
    .resource = api::everything,
    .callers = api::Callers::any_account,
    .answer{
        api::field<&Answer::account_id>("AccountId"),
        api::field<&Answer::arn>("Arn"),
        api::field<&Answer::identity_type>("IdentityType"),
        api::field<&Answer::principal_id>("PrincipalId"),
        api::field<&Answer::role_id>("RoleId"),
        api::field<&Answer::user_id>("UserId"),
    },
    .run = run,
};

Answer run(const Request&, api::Call& call) {
    const auto& caller = call.caller;
    Answer answer{.account_id = caller.account_id, .arn = caller.arn, .principal_id = caller.principal_id};
    switch (caller.kind) {
        case api::CallerKind::root:
            answer.identity_type = "Account";
            answer.user_id = caller.account_id;
            break;
        case api::CallerKind::user:
            answer.identity_type = "RAMUser";
            answer.user_id = caller.principal_id;
            break;
        case api::CallerKind::role_session:
            answer.identity_type = "AssumedRoleUser";
            answer.role_id = caller.role_id;
            break;
    }
    return answer;
}

}  // namespace

extern constinit const api::AnyOperation get_caller_identity{operation};

}  // namespace openrd::operations::sts
