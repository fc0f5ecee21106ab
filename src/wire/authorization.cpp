// The Authorization header of V3 (protocol.md B.1).
#include "base/text.hpp"
#include "wire/signature.hpp"

namespace openrd::wire {
namespace {

constexpr std::size_t most_signed_headers = 64;  // clients sign about ten; each is looked for among all headers

// A field name of RFC 9110, and no upper-case letter: names are signed in lower case.
bool is_name(std::string_view name) {
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos; };
    return !name.empty() && std::ranges::all_of(name, fits);
}

// Takes the text up to the mark (or all) off the front of `rest`; false when nothing is left to take.
bool take_until(char mark, std::optional<std::string_view>& rest, std::string_view& part) {
    if (!rest) return false;
    const std::size_t end = rest->find(mark);
    part = rest->substr(0, end);
    if (end == rest->npos) rest.reset();
    else rest->remove_prefix(end + 1);
    return true;
}

bool are_signed_headers(std::string_view text) {
    std::array<std::string_view, most_signed_headers> seen;
    std::size_t count = 0;
    std::optional<std::string_view> rest = text;
    for (std::string_view name; take_until(';', rest, name);) {
        const auto known = std::span(seen).first(count);
        if (count == seen.size() || !is_name(name) || std::ranges::find(known, name) != known.end()) return false;
        seen[count++] = name;
    }
    return true;
}

}  // namespace

bool is_acs3(std::string_view authorization) {
    const std::string_view text = base::trimmed(authorization);
    return text.starts_with("ACS3-") || text.starts_with("ACS4-");
}

tl::expected<Acs3, AuthorizationTrouble> parse_authorization(std::string_view authorization) {
    const std::string_view text = base::trimmed(authorization);
    const std::string_view algorithm = text.substr(0, text.find(' '));
    if (!is_acs3(algorithm)) return tl::unexpected(AuthorizationTrouble::malformed);
    if (algorithm != "ACS3-HMAC-SHA256") return tl::unexpected(AuthorizationTrouble::unknown_algorithm);

    Acs3 out;
    bool has_credential = false;
    std::optional<std::string_view> rest = text.substr(algorithm.size());
    for (std::string_view part; take_until(',', rest, part);) {
        part = base::trimmed(part);
        const std::size_t equals = part.find('=');
        if (equals == part.npos) return tl::unexpected(AuthorizationTrouble::malformed);
        const std::string_view name = part.substr(0, equals), value = part.substr(equals + 1);
        if (name == "Credential" && !has_credential) out.credential = value, has_credential = true;
        else if (name == "SignedHeaders" && out.signed_headers.empty() && are_signed_headers(value)) out.signed_headers = value;
        else if (name == "Signature" && out.signature.empty() && !value.empty()) out.signature = value;
        else return tl::unexpected(AuthorizationTrouble::malformed);
    }
    if (out.signed_headers.empty() || out.signature.empty()) return tl::unexpected(AuthorizationTrouble::malformed);
    return out;
}

bool header_is_signed(std::string_view signed_headers, std::string_view name) {
    std::optional<std::string_view> rest = signed_headers;
    for (std::string_view signed_name; take_until(';', rest, signed_name);)
        if (signed_name == name) return true;
    return false;
}

bool required_headers_signed(std::string_view signed_headers, bool with_token) {
    for (const std::string_view name : {"x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"})
        if (!header_is_signed(signed_headers, name)) return false;
    return !with_token || header_is_signed(signed_headers, "x-acs-security-token");
}

}  // namespace openrd::wire
