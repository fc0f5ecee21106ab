#pragma once
// Authenticated encryption and key derivation with a key at hand. Most callers want keys::Ring, which has the keys; this is for
// keys that are data themselves, such as that of one subject of the audit log (verification.md 9).
#include "base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::keys {

inline constexpr std::size_t key_bytes = 32;
// What sealing adds: a nonce of 24 bytes and a tag of 16.
inline constexpr std::size_t box_overhead_bytes = 40;

base::Secret random_key();

// nonce | XChaCha20-Poly1305(plaintext), bound to `associated`, which is not in it: the row and column it belongs to, so that
// nobody can put it elsewhere. The nonce is random: 24 bytes leave no budget to keep. The key has 32 bytes, else std::invalid_argument.
std::string seal_with(std::string_view key, std::string_view plaintext, std::string_view associated);
// Nothing when it was sealed with another key, for another place, or was changed.
std::optional<base::Secret> open_with(std::string_view key, std::string_view sealed, std::string_view associated);

// HKDF-SHA256 (RFC 5869) without a salt, in its two steps; the second gives one block.
void hkdf_extract(std::string_view root, unsigned char (&pseudorandom)[key_bytes]);
void hkdf_expand(const unsigned char (&pseudorandom)[key_bytes], std::string_view info, unsigned char (&key)[key_bytes]);

}  // namespace openrd::keys
