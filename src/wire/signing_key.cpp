#include "base/text.hpp"
#include "wire/digest.hpp"
#include "wire/signature.hpp"

#include <openssl/crypto.h>

namespace openrd::wire {
namespace {

constexpr std::size_t block = 64;  // of SHA-1 and of SHA-256

// RFC 2104: the key, hashed when it is longer than a block, filled up with zeros, XORed with 0x36 and 0x5c.
template <class Pads, class Hash> void make_pads(Pads& pads, std::string_view key, Hash hash) {
    auto hashed = hash(key, std::string_view{});
    if (key.size() > block) key = view_of(hashed);
    for (std::size_t i = 0; i < block; ++i) {
        const auto byte = static_cast<unsigned char>(i < key.size() ? key[i] : 0);
        pads.inner[i] = byte ^ 0x36;
        pads.outer[i] = byte ^ 0x5c;
    }
    OPENSSL_cleanse(hashed.data(), hashed.size());
}

template <class Pads, class Hash> auto mac(const Pads& pads, std::string_view text, Hash hash) {
    const auto inner = hash(view_of(pads.inner), text);
    return hash(view_of(pads.outer), view_of(inner));
}

}  // namespace

SigningKey::SigningKey(const base::Secret& secret) {
    std::string key;
    key.reserve(secret.reveal().size() + 1);
    key.append(secret.reveal());
    make_pads(v3_sha256_, key, sha256);
    key += '&';
    make_pads(v1_sha1_, key, sha1);
    make_pads(v1_sha256_, key, sha256);
    base::wipe(key);
}

SigningKey::~SigningKey() {
    for (Pads* pads : {&v1_sha1_, &v1_sha256_, &v3_sha256_}) OPENSSL_cleanse(pads, sizeof *pads);
}

std::array<unsigned char, 20> SigningKey::v1_sha1(std::string_view text) const { return mac(v1_sha1_, text, sha1); }
std::array<unsigned char, 32> SigningKey::v1_sha256(std::string_view text) const { return mac(v1_sha256_, text, sha256); }
std::array<unsigned char, 32> SigningKey::v3_sha256(std::string_view text) const { return mac(v3_sha256_, text, sha256); }

std::string sha256_hex(std::string_view bytes) {
    if (bytes.empty()) return "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    return std::string(view_of(hex_of(sha256(bytes))));
}

std::string md5_base64(std::string_view bytes) { return base::base64(view_of(md5(bytes))); }

}  // namespace openrd::wire
