#pragma once
// The RAM policy language (protocol.md H.5), parsed. What is odd is refused when it comes in, so that nothing that openrd keeps
// can mean something else than it says: an element that is not understood is never ignored.
#include "policy/wildcard.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace openrd::policy {

// Where a document is used: attached to an identity (or as a session policy), as a role's trust policy, as a control policy.
enum class Kind : std::uint8_t { identity, trust, control };
enum class Effect : std::uint8_t { allow, deny };

// Sizes that no document exceeds; the vendor's own limits (in characters, by operation) are tighter and the rooms'.
inline constexpr std::size_t document_bytes = 32 * 1024;
inline constexpr std::size_t pattern_bytes = 1024;

// One action or resource, with its wildcards.
class Pattern {
  public:
    explicit Pattern(std::string text);
    // `same(c, i)`: whether the pattern's character c stands for the i-th byte of the text (wildcard.hpp).
    template <class Same> bool matches(std::string_view text, Same same) const;
    bool everything() const { return form_ == Form::everything; }
    std::string_view text() const { return text_; }

  private:
    enum class Form : std::uint8_t { everything, literal, prefix, general };
    std::string text_;
    Form form_;
};

// Whom a trust policy names (protocol.md H.1). An account stands for every identity of it.
struct Principal {
    enum class Kind : std::uint8_t { account, user, role, role_session, service, federated };
    Kind kind = Kind::account;
    std::string account_id;    // empty for a service
    std::string name;          // of the user, the role, the service or the provider
    std::string session_name;  // of a role session
};

struct Statement {
    Effect effect = Effect::deny;
    bool not_actions = false;           // NotAction: all but these
    bool not_resources = false;         // NotResource
    std::vector<Pattern> actions;       // in lower case; never empty
    std::vector<Pattern> resources;     // empty in a trust policy, where it is the role itself
    std::vector<Principal> principals;  // only in a trust policy
};

class Document {
  public:
    // The document, or one line that says what is wrong with it. Refused are: what is no JSON or has a key twice, unknown keys,
    // Action and NotAction together, empty lists, Principal outside of trust policies, malformed actions, resources and
    // principals. A Condition is refused too: it cannot be evaluated yet, and must not be ignored.
    static tl::expected<Document, std::string> parse(std::string_view json, Kind kind);

    Kind kind() const { return kind_; }
    // Addresses of statements stay good while the document lives, also when it is moved.
    const std::vector<Statement>& statements() const { return statements_; }
    bool holds(const Statement* statement) const {
        return std::ranges::any_of(statements_, [statement](const Statement& own) { return &own == statement; });
    }

  private:
    Document(Kind kind, std::vector<Statement> statements) : kind_(kind), statements_(std::move(statements)) {}
    Kind kind_;
    std::vector<Statement> statements_;
};

template <class Same> bool Pattern::matches(std::string_view text, Same same) const {
    const auto begins = [&](std::string_view front) {
        if (text.size() < front.size()) return false;
        for (std::size_t i = 0; i < front.size(); ++i)
            if (!same(front[i], i)) return false;
        return true;
    };
    switch (form_) {
        case Form::everything:
            return true;
        case Form::literal:
            return text.size() == text_.size() && begins(text_);
        case Form::prefix:
            return begins(std::string_view(text_).substr(0, text_.size() - 1));
        case Form::general:
            return policy::matches(text_, text, same);
    }
    return false;
}

}  // namespace openrd::policy
