#pragma once
// Who may do what (protocol.md H.6). Pure: no clock, no database. It fails closed: a question or a document that is not as it
// should be is a refusal.
#include "policy/document.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::policy {

// What is acted on, by its ARN (acs:<ram-code>:<region>:<uid>:<relative-id>, or * where there is nothing to name). Making an ARN
// may take a look into the database, so it is made when a statement first asks for it: one for every resource never does.
// Belongs to one call, on one thread.
class Resource {
  public:
    explicit Resource(std::string arn) : arn_(std::move(arn)), made_(true) {}
    explicit Resource(std::function<std::string()> make) : make_(std::move(make)) {}

    std::string_view arn() const;
    bool made() const { return made_; }

  private:
    std::function<std::string()> make_;
    mutable std::string arn_;
    mutable bool made_ = false;
};

struct Question {
    std::string_view action;              // resourcemanager:MoveAccount
    std::span<const Resource> resources;  // each must be allowed; none at all: refused
};

struct Decision {
    enum class Effect : std::uint8_t { allow, explicit_deny, implicit_deny };
    Effect effect = Effect::implicit_deny;
    // That decided: those that deny, or those that allow; none for an implicit deny. They belong to the documents.
    std::vector<const Statement*> statements;
    // Which policies decided, as AccessDeniedDetail.PolicyType says it (protocol.md H.7).
    std::string_view policy_type;

    bool allowed() const { return effect == Effect::allow; }
    // AccessDeniedDetail.NoPermissionType; empty when allowed.
    std::string_view no_permission_type() const;
};

inline constexpr std::string_view session_policy = "SessionPolicy", identity_policy = "AccountLevelIdentityBasedPolicy", assume_role_policy = "AssumeRolePolicy";

// A null document stands for one that is attached but could not be read: nobody knows what it denies, so nothing is allowed.
using Documents = std::span<const Document* const>;

// The basic step: a matching Deny, else a matching Allow, else an implicit deny.
Decision evaluate(Documents documents, const Question& question);

// Whether an identity may: its session policy, if there is one, must allow it, and so must its own policies.
Decision decide(Documents identity, const Document* session, const Question& question);

// Who asks to assume a role.
struct PrincipalFacts {
    enum class Kind : std::uint8_t { root, user, role_session, service };
    Kind kind = Kind::root;
    std::string_view account_id;    // empty for a service
    std::string_view name;          // of the user, the role or the service
    std::string_view session_name;  // of a role session
};

// Whether a role's trust policy lets it be assumed (sts:AssumeRole). acs:ram::<uid>:root trusts every identity of that account;
// role names are compared without regard to case. That root keys cannot assume roles is the operation's to say.
Decision trusts(const Document* trust, const PrincipalFacts& who);

// sts:AssumeRole: the caller's own policies and the role's trust policy must both allow it, and a Deny of either is final.
Decision decide_assume_role(Documents identity, const Document* session, const Document* trust, const PrincipalFacts& who, const Question& question);

}  // namespace openrd::policy
