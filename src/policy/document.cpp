#include "policy/document.hpp"

#include "base/text.hpp"
#include "policy/json_tree.hpp"

#include <algorithm>
#include <optional>

namespace openrd::policy {
namespace {

// Thrown inside this file only, caught by parse().
struct Refusal {
    std::string why;
};
[[noreturn]] void refuse(std::string why) { throw Refusal{std::move(why)}; }

// For a message: short, and nothing in it that could forge a log line.
std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, 60)) out += c > 0x1F && c < 0x7F ? c : '?';
    return out + (text.size() > 60 ? "...'" : "'");
}

bool all_of(std::string_view text, auto allowed) { return !text.empty() && std::ranges::all_of(text, allowed); }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter_or_digit(char c) { return digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
// Of user, role, session and provider names: the widest of protocol.md H.3 and H.9. No wildcards: nobody is trusted by accident.
bool of_a_name(char c) { return letter_or_digit(c) || c == '.' || c == '_' || c == '-' || c == '@'; }

void allow_only(const Node& object, std::initializer_list<std::string_view> keys, std::string_view where) {
    for (const auto& member : object.inside)
        if (std::ranges::find(keys, member.key) == keys.end()) refuse("unknown key " + quoted(member.key) + " in " + std::string(where));
}

// A text, or a list of texts.
std::vector<std::string_view> texts(const Node& node, std::string_view name) {
    std::vector<std::string_view> out;
    if (node.kind == Node::Kind::text) out.push_back(node.text);
    if (node.kind == Node::Kind::list)
        for (const auto& item : node.inside) {
            if (item.kind != Node::Kind::text) refuse(std::string(name) + " holds something that is no text");
            out.push_back(item.text);
        }
    if (out.empty()) refuse(std::string(name) + " is neither a text nor a list with something in it");
    return out;
}

// <ram-code>:<ApiName>, or * for all.
Pattern action(std::string_view text) {
    const auto colon = text.find(':');
    const bool whole = colon != text.npos && colon > 0 && colon + 1 < text.size();
    const bool everything = all_of(text, [](char c) { return c == '*'; });
    if (text.size() > pattern_bytes || (!whole && !everything) || !all_of(text, [](char c) { return c > 0x20 && c < 0x7F; })) refuse(quoted(text) + " is no action");
    return Pattern(base::ascii_lower(text));
}

// acs:<ram-code>:<region>:<uid>:<relative-id>, or * for all.
Pattern resource(std::string_view text) {
    constexpr std::string_view regionless = "acs:ram::";
    const bool whole = text.starts_with("acs:") && std::ranges::count(text, ':') >= 4;
    const bool everything = all_of(text, [](char c) { return c == '*'; });
    if (text.size() > pattern_bytes || (!whole && !everything) || !all_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x1F && c != 0x7F; }))
        refuse(quoted(text) + " is no resource");
    // RAM has no regions; clients write its resources with an empty region as well as with * (protocol.md H.1).
    if (text.starts_with(regionless)) return Pattern("acs:ram:*:" + std::string(text.substr(regionless.size())));
    return Pattern(std::string(text));
}

// acs:ram::<uid>:root, user/<name>, role/<name>, assumed-role/<role>/<session>.
std::optional<Principal> ram_principal(std::string_view account_id, std::string_view id) {
    const auto after = [id](std::string_view front) -> std::optional<std::string> {
        if (!id.starts_with(front) || !all_of(id.substr(front.size()), of_a_name)) return {};
        return std::string(id.substr(front.size()));
    };
    if (id == "root") return Principal{Principal::Kind::account, std::string(account_id), {}, {}};
    if (const auto name = after("user/")) return Principal{Principal::Kind::user, std::string(account_id), *name, {}};
    if (const auto name = after("role/")) return Principal{Principal::Kind::role, std::string(account_id), *name, {}};
    constexpr std::string_view session = "assumed-role/";
    if (!id.starts_with(session)) return {};
    id.remove_prefix(session.size());
    const auto slash = id.find('/');
    if (slash == id.npos || !all_of(id.substr(0, slash), of_a_name) || !all_of(id.substr(slash + 1), of_a_name)) return {};
    return Principal{Principal::Kind::role_session, std::string(account_id), std::string(id.substr(0, slash)), std::string(id.substr(slash + 1))};
}

std::optional<Principal> principal(std::string_view key, std::string_view text) {
    if (text.size() > pattern_bytes) return {};
    if (key == "Service") {
        if (!all_of(text, of_a_name) || text.find('.') == text.npos) return {};
        return Principal{Principal::Kind::service, {}, std::string(text), {}};
    }
    constexpr std::string_view front = "acs:ram::";
    if (!text.starts_with(front)) return {};
    text.remove_prefix(front.size());
    const auto colon = text.find(':');
    const auto account_id = text.substr(0, colon);
    if (colon == text.npos || !all_of(account_id, digit)) return {};
    const auto id = text.substr(colon + 1);
    if (key == "RAM") return ram_principal(account_id, id);
    for (const std::string_view provider : {"saml-provider/", "oidc-provider/"})
        if (id.starts_with(provider) && all_of(id.substr(provider.size()), of_a_name)) return Principal{Principal::Kind::federated, std::string(account_id), std::string(id), {}};
    return {};
}

std::vector<Principal> principals(const Node& node) {
    if (node.kind != Node::Kind::object || node.inside.empty()) refuse("Principal is no object with something in it");
    allow_only(node, {"RAM", "Service", "Federated"}, "Principal");
    std::vector<Principal> out;
    for (const auto& member : node.inside)
        for (const auto text : texts(member, member.key)) {
            auto one = principal(member.key, text);
            if (!one) refuse(quoted(text) + " is no principal of kind " + member.key);
            out.push_back(*std::move(one));
        }
    return out;
}

// `Name` or `NotName`, exactly one of them.
std::vector<Pattern> patterns(const Node& node, std::string_view name, bool& negated, Pattern (*make)(std::string_view)) {
    const std::string not_name = "Not" + std::string(name);
    const Node *const plain = node.find(name), *const inverse = node.find(not_name);
    if ((plain == nullptr) == (inverse == nullptr)) refuse("a statement has either " + std::string(name) + " or " + not_name);
    negated = inverse != nullptr;
    std::vector<Pattern> out;
    for (const auto text : texts(negated ? *inverse : *plain, negated ? std::string_view(not_name) : name)) out.push_back(make(text));
    return out;
}

Statement statement(const Node& node, Kind kind) {
    if (node.kind != Node::Kind::object) refuse("a statement is no object");
    if (node.find("Condition") != nullptr) refuse("Condition is not supported yet");
    if (kind == Kind::trust) {
        allow_only(node, {"Effect", "Action", "NotAction", "Principal"}, "a statement of a trust policy");
    } else {
        if (node.find("Principal") != nullptr) refuse("Principal belongs in a trust policy only");
        allow_only(node, {"Effect", "Action", "NotAction", "Resource", "NotResource"}, "a statement");
    }
    Statement out;
    const auto* const effect = node.find("Effect");
    if (effect == nullptr || effect->kind != Node::Kind::text || (effect->text != "Allow" && effect->text != "Deny")) refuse("Effect is neither Allow nor Deny");
    out.effect = effect->text == "Allow" ? Effect::allow : Effect::deny;
    out.actions = patterns(node, "Action", out.not_actions, action);
    if (kind == Kind::trust) {
        const auto* const whom = node.find("Principal");
        if (whom == nullptr) refuse("a statement of a trust policy has a Principal");
        out.principals = principals(*whom);
    } else {
        out.resources = patterns(node, "Resource", out.not_resources, resource);
    }
    return out;
}

std::vector<Statement> statements(std::string_view json, Kind kind) {
    if (json.size() > document_bytes) refuse("it is longer than " + std::to_string(document_bytes) + " bytes");
    const auto tree = parse_json(json);
    if (!tree) refuse(tree.error());
    if (tree->kind != Node::Kind::object) refuse("it is no JSON object");
    allow_only(*tree, {"Version", "Statement"}, "the document");
    const auto* const version = tree->find("Version");
    if (version == nullptr || version->kind != Node::Kind::text || version->text != "1") refuse("Version is not \"1\"");
    const auto* const list = tree->find("Statement");
    if (list == nullptr) refuse("it has no Statement");
    std::vector<Statement> out;
    if (list->kind == Node::Kind::object) {
        out.push_back(statement(*list, kind));
    } else {
        if (list->kind != Node::Kind::list || list->inside.empty()) refuse("Statement is no list with something in it");
        for (const auto& item : list->inside) out.push_back(statement(item, kind));
    }
    return out;
}

}  // namespace

Pattern::Pattern(std::string text) : text_(std::move(text)), form_(Form::general) {
    const auto wild = text_.find_first_of("*?");
    if (wild == text_.npos) form_ = Form::literal;
    else if (text_.find_first_not_of('*', wild) == text_.npos) form_ = wild == 0 ? Form::everything : Form::prefix;
    if (form_ == Form::prefix) text_.resize(wild + 1);
}

tl::expected<Document, std::string> Document::parse(std::string_view json, Kind kind) {
    try {
        return Document(kind, policy::statements(json, kind));
    } catch (const Refusal& refusal) { return tl::unexpected<std::string>(refusal.why); }
}

}  // namespace openrd::policy
