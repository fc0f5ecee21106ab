#include "keys/ring.hpp"

#include "base/text.hpp"
#include "keys/box.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <stdexcept>

namespace openrd::keys {
namespace {

using Key = unsigned char[key_bytes];

constexpr std::string_view code_domain = "openrd-code-v1";
constexpr std::uint32_t first_id = 1;
constexpr std::size_t id_bytes = 4;
static_assert(seal_overhead_bytes == id_bytes + box_overhead_bytes);
static_assert((page_payload_bytes + seal_overhead_bytes) * 4 / 3 == page_token_bytes);

constexpr std::string_view names[purposes] = {"access_key_secret", "phone", "outbox", "subject", "session_token", "page_token"};
static_assert(static_cast<std::size_t>(Purpose::page_token) == purposes - 1);
std::string_view name_of(Purpose purpose) { return names[static_cast<std::size_t>(purpose)]; }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
std::string_view view(const Key& key) { return {reinterpret_cast<const char*>(key), sizeof key}; }

void put_be32(unsigned char* to, std::uint32_t value) {
    for (int i = 3; i >= 0; --i, value >>= 8) to[i] = static_cast<unsigned char>(value);
}

// A key that is not kept: wiped when it goes.
struct Passing {
    Key bytes;
    ~Passing() { sodium_memzero(bytes, sizeof bytes); }
};

}  // namespace

struct Ring::Keys {
    Key pseudorandom;  // HKDF's; the root itself is not kept
    Key sealing[purposes];
    Key code, index, nonce, receipt;
    unsigned char checkpoint_secret[crypto_sign_SECRETKEYBYTES];
    unsigned char checkpoint_public[crypto_sign_PUBLICKEYBYTES];

    void derive(std::string_view purpose, std::uint32_t id, Key& key) const { hkdf_expand(pseudorandom, fmt::format("openrd/{}/{}", purpose, id), key); }
};

void Ring::Wipe::operator()(Keys* keys) const noexcept { sodium_free(keys); }  // which wipes

Ring::Ring(const base::Secret& root) {
    if (root.reveal().size() != root_bytes) throw std::invalid_argument("the root of the keys has 32 bytes");
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used on this machine");
    keys_.reset(static_cast<Keys*>(sodium_malloc(sizeof(Keys))));
    if (!keys_) throw std::bad_alloc();
    hkdf_extract(root.reveal(), keys_->pseudorandom);
    current_.fill(first_id);
    for (std::size_t i = 0; i < purposes; ++i) keys_->derive(name_of(static_cast<Purpose>(i)), first_id, keys_->sealing[i]);
    keys_->derive("code", first_id, keys_->code);
    keys_->derive("index", first_id, keys_->index);
    keys_->derive("nonce", first_id, keys_->nonce);
    keys_->derive("dlr", first_id, keys_->receipt);
    Passing seed;
    keys_->derive("checkpoint", first_id, seed.bytes);
    crypto_sign_seed_keypair(keys_->checkpoint_public, keys_->checkpoint_secret, seed.bytes);
    sodium_mprotect_readonly(keys_.get());
}

std::string Ring::seal(Purpose purpose, std::string_view plaintext, std::string_view associated) const {
    const auto i = static_cast<std::size_t>(purpose);
    std::string sealed(id_bytes, '\0');
    put_be32(reinterpret_cast<unsigned char*>(sealed.data()), current_[i]);
    return sealed += seal_with(view(keys_->sealing[i]), plaintext, associated);
}

std::optional<base::Secret> Ring::open(Purpose purpose, std::string_view sealed, std::string_view associated) const {
    if (sealed.size() < seal_overhead_bytes) return {};
    std::uint32_t id = 0;
    for (std::size_t k = 0; k < id_bytes; ++k) id = id << 8 | static_cast<unsigned char>(sealed[k]);
    const auto box = sealed.substr(id_bytes);
    const auto i = static_cast<std::size_t>(purpose);
    if (id == current_[i]) return open_with(view(keys_->sealing[i]), box, associated);
    // Another key costs one HMAC to derive, less than the opening: a cache would only be something for made-up ids to fill.
    Passing key;
    keys_->derive(name_of(purpose), id, key.bytes);
    return open_with(view(key.bytes), box, associated);
}

std::string Ring::blind_index(std::string_view e164) const {
    std::string index(crypto_auth_hmacsha256_BYTES, '\0');
    crypto_auth_hmacsha256(reinterpret_cast<unsigned char*>(index.data()), bytes_of(e164), e164.size(), keys_->index);
    return index;
}

namespace {
std::atomic<std::uint64_t> derived{0};
}

std::uint64_t Ring::codes_derived() { return derived.load(std::memory_order_relaxed); }

base::Secret Ring::code(std::string_view verification_id, std::string_view account_id, std::string_view purpose, std::string_view e164, std::uint32_t key_id) const {
    derived.fetch_add(1, std::memory_order_relaxed);
    Passing older, mac;
    if (key_id != code_key_id_) keys_->derive("code", key_id, older.bytes);
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key_id == code_key_id_ ? keys_->code : older.bytes, key_bytes);
    for (const auto field : {code_domain, verification_id, account_id, purpose, e164}) {
        unsigned char length[4];
        put_be32(length, static_cast<std::uint32_t>(field.size()));
        crypto_auth_hmacsha256_update(&state, length, sizeof length);
        crypto_auth_hmacsha256_update(&state, bytes_of(field), field.size());
    }
    crypto_auth_hmacsha256_final(&state, mac.bytes);
    sodium_memzero(&state, sizeof state);
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 8; ++i) number = number << 8 | mac.bytes[i];
    std::string digits(6, '0');
    number %= 1'000'000;
    for (std::size_t i = digits.size(); i-- > 0; number /= 10) digits[i] = static_cast<char>('0' + number % 10);
    return base::Secret(std::move(digits));
}

std::string Ring::receipt_token(std::string_view channel, std::string_view message_id) const {
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, keys_->receipt, key_bytes);
    for (const auto field : {channel, message_id}) {
        unsigned char length[4];
        put_be32(length, static_cast<std::uint32_t>(field.size()));
        crypto_auth_hmacsha256_update(&state, length, sizeof length);
        crypto_auth_hmacsha256_update(&state, bytes_of(field), field.size());
    }
    crypto_auth_hmacsha256_final(&state, mac.data());
    sodium_memzero(&state, sizeof state);
    return base::hex({reinterpret_cast<const char*>(mac.data()), 16});
}

bool Ring::receipt_token_matches(std::string_view channel, std::string_view message_id, std::string_view token) const {
    return base::constant_time_equal(receipt_token(channel, message_id), token);
}

std::string Ring::nonce_hash(std::string_view access_key_id, std::string_view nonce) const {
    static_assert(crypto_shorthash_siphashx24_KEYBYTES <= key_bytes);
    const std::size_t size = id_bytes + access_key_id.size() + nonce.size();
    std::array<unsigned char, 256> usual;
    std::string unusual;
    if (size > usual.size()) unusual.resize(size);
    auto* const fields = unusual.empty() ? usual.data() : reinterpret_cast<unsigned char*>(unusual.data());
    put_be32(fields, static_cast<std::uint32_t>(access_key_id.size()));
    std::copy(nonce.begin(), nonce.end(), std::copy(access_key_id.begin(), access_key_id.end(), fields + id_bytes));
    std::string hash(crypto_shorthash_siphashx24_BYTES, '\0');
    crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(hash.data()), fields, size, keys_->nonce);
    return hash;
}

std::string Ring::fingerprint() const {
    Passing mark;
    keys_->derive("fingerprint", first_id, mark.bytes);
    return base::hex(view(mark.bytes).substr(0, 8));
}

std::string Ring::checkpoint_public_key() const { return {reinterpret_cast<const char*>(keys_->checkpoint_public), sizeof keys_->checkpoint_public}; }

std::string Ring::sign_checkpoint(std::string_view text) const {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, bytes_of(text), text.size(), keys_->checkpoint_secret);
    return signature;
}

bool Ring::checkpoint_signed(std::string_view public_key, std::string_view text, std::string_view signature) {
    return public_key.size() == crypto_sign_PUBLICKEYBYTES && signature.size() == crypto_sign_BYTES &&
           crypto_sign_verify_detached(bytes_of(signature), bytes_of(text), text.size(), bytes_of(public_key)) == 0;
}

std::string Ring::page_token(std::string_view payload, std::string_view associated) const {
    if (payload.size() > page_payload_bytes) throw std::length_error("a page token carries at most 148 bytes");
    return base::base64_url(seal(Purpose::page_token, payload, associated));
}

std::optional<std::string> Ring::open_page_token(std::string_view token, std::string_view associated) const {
    if (token.size() > page_token_bytes) return {};
    const auto sealed = base::unbase64_url(token);
    if (!sealed) return {};
    const auto payload = open(Purpose::page_token, *sealed, associated);
    if (!payload) return {};
    return std::string(payload->reveal());
}

void Ring::set_current(Purpose purpose, std::uint32_t key_id) {
    if (key_id == 0) throw std::invalid_argument("key ids begin at 1");
    const auto i = static_cast<std::size_t>(purpose);
    sodium_mprotect_readwrite(keys_.get());
    keys_->derive(name_of(purpose), key_id, keys_->sealing[i]);
    sodium_mprotect_readonly(keys_.get());
    current_[i] = key_id;
}

void Ring::set_current_code(std::uint32_t key_id) {
    if (key_id == 0) throw std::invalid_argument("key ids begin at 1");
    sodium_mprotect_readwrite(keys_.get());
    keys_->derive("code", key_id, keys_->code);
    sodium_mprotect_readonly(keys_.get());
    code_key_id_ = key_id;
}

}  // namespace openrd::keys
