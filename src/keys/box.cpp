#include "keys/box.hpp"

#include "base/identifiers.hpp"

#include <sodium.h>

#include <stdexcept>

namespace openrd::keys {
namespace {

constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(box_overhead_bytes == nonce_bytes + tag_bytes);
static_assert(key_bytes == crypto_aead_xchacha20poly1305_ietf_KEYBYTES && key_bytes == crypto_auth_hmacsha256_BYTES);

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void hmac(std::string_view key, std::string_view first, std::string_view second, unsigned char (&out)[key_bytes]) {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
    crypto_auth_hmacsha256_update(&state, bytes_of(first), first.size());
    crypto_auth_hmacsha256_update(&state, bytes_of(second), second.size());
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
}

void require_whole(std::string_view key) {
    if (key.size() != key_bytes) throw std::invalid_argument("a key has 32 bytes");
}

}  // namespace

base::Secret random_key() { return base::Secret(base::random_bytes(key_bytes)); }

std::string seal_with(std::string_view key, std::string_view plaintext, std::string_view associated) {
    require_whole(key);
    std::string sealed(plaintext.size() + box_overhead_bytes, '\0');
    auto* const nonce = bytes_of(sealed);
    randombytes_buf(nonce, nonce_bytes);
    crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + nonce_bytes, nullptr, bytes_of(plaintext), plaintext.size(), bytes_of(associated), associated.size(), nullptr, nonce,
                                               bytes_of(key));
    return sealed;
}

std::optional<base::Secret> open_with(std::string_view key, std::string_view sealed, std::string_view associated) {
    require_whole(key);
    if (sealed.size() < box_overhead_bytes) return {};
    std::string plaintext(sealed.size() - box_overhead_bytes, '\0');
    const auto* const nonce = bytes_of(sealed);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(plaintext), nullptr, nullptr, nonce + nonce_bytes, sealed.size() - nonce_bytes, bytes_of(associated), associated.size(),
                                                   nonce, bytes_of(key)) != 0)
        return {};
    return base::Secret(std::move(plaintext));
}

void hkdf_extract(std::string_view root, unsigned char (&pseudorandom)[key_bytes]) {
    constexpr char no_salt[key_bytes] = {};
    hmac({no_salt, sizeof no_salt}, root, {}, pseudorandom);
}

void hkdf_expand(const unsigned char (&pseudorandom)[key_bytes], std::string_view info, unsigned char (&key)[key_bytes]) {
    hmac({reinterpret_cast<const char*>(pseudorandom), sizeof pseudorandom}, info, {"\x01", 1}, key);
}

}  // namespace openrd::keys
