#include "audit/checkpoint.hpp"

#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace openrd::audit {
namespace {

constexpr std::string_view dash = "\xe2\x80\x94 ";  // an em dash and a space
constexpr char ed25519 = 0x01;
constexpr std::size_t public_key_bytes = 32, signature_bytes = 64, key_id_bytes = 4;
constexpr std::size_t longest_origin = 255;

using Wrong = tl::unexpected<std::string>;

// Cuts the line off the front; nothing when no LF is left.
std::optional<std::string_view> take_line(std::string_view& text) {
    const auto end = text.find('\n');
    if (end == text.npos) return {};
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

// Unicode's spaces (White_Space) beyond ASCII, in UTF-8.
bool has_unicode_space(std::string_view text) {
    constexpr std::string_view spaces[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\x80", "\xe2\x80\x81", "\xe2\x80\x82", "\xe2\x80\x83",
                                           "\xe2\x80\x84", "\xe2\x80\x85", "\xe2\x80\x86", "\xe2\x80\x87", "\xe2\x80\x88", "\xe2\x80\x89", "\xe2\x80\x8a",
                                           "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};
    return std::any_of(std::begin(spaces), std::end(spaces), [&](std::string_view space) { return text.find(space) != text.npos; });
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || end != text.data() + text.size() || (text.size() > 1 && text[0] == '0')) return {};
    return size;
}

std::string text_of(const Checkpoint& checkpoint) { return fmt::format("{}\n{}\n{}\n", checkpoint.origin, checkpoint.size, base::base64(bytes_of(checkpoint.root))); }

struct Signature {
    std::string_view name;
    std::string id, bytes;
};

std::optional<Signature> parse_signature(std::string_view line) {
    if (!line.starts_with(dash)) return {};
    line.remove_prefix(dash.size());
    const auto space = line.find(' ');
    if (space == line.npos || space == 0) return {};
    const auto raw = base::unbase64(line.substr(space + 1));
    if (!raw || raw->size() <= key_id_bytes) return {};
    return Signature{.name = line.substr(0, space), .id = raw->substr(0, key_id_bytes), .bytes = raw->substr(key_id_bytes)};
}

bool clean(std::string_view note) {
    return base::is_clean_utf8(note) && std::none_of(note.begin(), note.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

}  // namespace

bool valid_origin(std::string_view origin) {
    if (origin.empty() || origin.size() > longest_origin || !base::is_clean_utf8(origin) || has_unicode_space(origin)) return false;
    return std::none_of(origin.begin(), origin.end(), [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '+'; });
}

std::string VerifierKey::id() const { return std::string(bytes_of(sha256(fmt::format("{}\n{}{}", origin, ed25519, public_key))).substr(0, key_id_bytes)); }

std::string VerifierKey::text() const { return fmt::format("{}+{}+{}", origin, base::hex(id()), base::base64(ed25519 + public_key)); }

VerifierKey verifier_key(const keys::Ring& ring, std::string_view origin) { return {.origin = std::string(origin), .public_key = ring.checkpoint_public_key()}; }

tl::expected<VerifierKey, std::string> parse_verifier_key(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    text = base::trimmed(text);
    const auto first = text.find('+');
    const auto second = first == text.npos ? text.npos : text.find('+', first + 1);
    if (second == text.npos) return Wrong("not a verifier key: it is written origin+key id+key");
    const auto key = base::unbase64(text.substr(second + 1));
    if (!key || key->size() != 1 + public_key_bytes) return Wrong("not a verifier key: the last part is not the base64 of an Ed25519 key");
    if (key->front() != ed25519) return Wrong("a verifier key of another kind than Ed25519");
    VerifierKey result{.origin = std::string(text.substr(0, first)), .public_key = key->substr(1)};
    if (!valid_origin(result.origin)) return Wrong("not a verifier key: its origin is not one");
    if (base::hex(result.id()) != base::ascii_lower(text.substr(first + 1, second - first - 1)))
        return Wrong("a damaged verifier key: its key id is not that of its origin and key");
    return result;
}

std::string signature_line(const VerifierKey& key, std::string_view signature) { return fmt::format("{}{} {}\n", dash, key.origin, base::base64(key.id().append(signature))); }

std::string sign(const Checkpoint& checkpoint, const keys::Ring& ring) {
    if (!valid_origin(checkpoint.origin)) throw std::invalid_argument("the origin of the audit log must be a name without spaces and '+', such as example.com/audit");
    const auto text = text_of(checkpoint);
    return fmt::format("{}\n{}", text, signature_line(verifier_key(ring, checkpoint.origin), ring.sign_checkpoint(text)));
}

tl::expected<std::string_view, std::string> signed_text(std::string_view note, const VerifierKey& key) {
    if (note.size() > note_bytes) return Wrong("not a signed note: it is too long");
    if (!clean(note)) return Wrong("not a signed note: it is not clean text");
    const auto blank = note.rfind("\n\n");
    if (blank == note.npos || note.back() != '\n') return Wrong("not a signed note: text, an empty line and signatures are expected");
    const auto text = note.substr(0, blank + 1);
    auto rest = note.substr(blank + 2);
    if (rest.empty()) return Wrong("not signed");
    const auto id = key.id();
    bool ours = false, same_name = false;
    while (!rest.empty()) {
        const auto signature = parse_signature(take_line(rest).value_or(std::string_view()));
        if (!signature) return Wrong("not a signed note: a signature line is malformed");
        if (signature->name != key.origin) continue;
        same_name = true;
        if (signature->id != id) continue;
        if (signature->bytes.size() != signature_bytes || !keys::Ring::checkpoint_signed(key.public_key, text, signature->bytes)) return Wrong("the signature is not valid");
        ours = true;
    }
    if (ours) return text;
    return Wrong(same_name ? "signed with another key" : "signed by somebody else: no signature has the name of this log");
}

tl::expected<Checkpoint, std::string> parse_and_verify(std::string_view note, const VerifierKey& key) {
    const auto text = signed_text(note, key);
    if (!text) return Wrong(text.error());
    auto rest = *text;
    const auto origin = take_line(rest), size_line = take_line(rest), root_line = take_line(rest);
    if (!origin || !size_line || !root_line || rest.starts_with('\n') || rest.find("\n\n") != rest.npos) return Wrong("not a checkpoint: origin, size and root are expected");
    if (*origin != key.origin) return Wrong("a checkpoint of another log: its origin is not that of the key");
    const auto size = parse_size(*size_line);
    const auto raw_root = base::unbase64(*root_line);
    const auto root = raw_root ? hash_of(*raw_root) : std::nullopt;
    if (!size) return Wrong("not a checkpoint: the size is not a number");
    if (!root) return Wrong("not a checkpoint: the root is not the base64 of a hash");
    return Checkpoint{.origin = std::string(*origin), .size = *size, .root = *root};
}

}  // namespace openrd::audit
