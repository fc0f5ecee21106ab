#pragma once
// The signed head of the log, in the form that other tools read: a tlog-checkpoint in a signed note with an Ed25519 signature
// (c2sp.org/tlog-checkpoint, c2sp.org/signed-note). The key's name is the log's origin.
//     origin LF size LF base64(root) LF LF "— " origin " " base64(key id | signature) LF
#include "audit/tree.hpp"
#include "keys/ring.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace openrd::audit {

struct Checkpoint {
    std::string origin;
    std::uint64_t size = 0;  // entries
    Hash root{};
};

// A note that is longer is none of ours.
inline constexpr std::size_t note_bytes = 64 * 1024;

// Without which an origin cannot be a key's name: not empty, clean UTF-8, at most 255 bytes, no space, no control character, no '+'.
bool valid_origin(std::string_view origin);

// Who signs, as the auditor knows it. Text form ("vkey"): origin+<key id in hex>+base64(0x01 | public key).
struct VerifierKey {
    std::string origin;
    std::string public_key;  // 32 bytes

    std::string id() const;    // the first 4 bytes of SHA-256(origin | LF | 0x01 | public key)
    std::string text() const;  // without LF
};
VerifierKey verifier_key(const keys::Ring& ring, std::string_view origin);
// Spaces and line ends around the text do not matter. The error is one line.
tl::expected<VerifierKey, std::string> parse_verifier_key(std::string_view text);

// "— " origin " " base64(key id | signature) LF
std::string signature_line(const VerifierKey& key, std::string_view signature);

// Throws std::invalid_argument for an origin that is not valid.
std::string sign(const Checkpoint& checkpoint, const keys::Ring& ring);

// The note's text when the key signed it. Signatures by other keys, such as those of witnesses, are passed over. The error is one
// line and repeats nothing of the note, which may be anybody's.
tl::expected<std::string_view, std::string> signed_text(std::string_view note, const VerifierKey& key);
tl::expected<Checkpoint, std::string> parse_and_verify(std::string_view note, const VerifierKey& key);

}  // namespace openrd::audit
