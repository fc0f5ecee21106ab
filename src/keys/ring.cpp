#include "keys/ring.hpp"

#include "base/text.hpp"
#include "keys/box.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <new>
#include <stdexcept>
#include <utility>

namespace openrd::keys {
namespace {

using Key = unsigned char[key_bytes];

constexpr std::string_view code_domain = "openrd-code-v1";
constexpr std::uint32_t first_id = 1;
constexpr std::size_t id_bytes = 4;
static_assert(seal_overhead_bytes == id_bytes + box_overhead_bytes);
static_assert((page_payload_bytes + seal_overhead_bytes) * 4 / 3 == page_token_bytes);

constexpr std::string_view names[purposes] = {"access_key_secret", "phone", "outbox", "subject", "session_token", "page_token", "diagnostic"};
static_assert(static_cast<std::size_t>(Purpose::diagnostic) == purposes - 1);
std::string_view name_of(Purpose purpose) { return names[static_cast<std::size_t>(purpose)]; }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
std::string_view view(const Key& key) { return {reinterpret_cast<const char*>(key), sizeof key}; }

void put_be32(unsigned char* to, std::uint32_t value) {
    for (int i = 3; i >= 0; --i, value >>= 8) to[i] = static_cast<unsigned char>(value);
}

std::uint32_t be32_at(std::string_view bytes) {
    std::uint32_t value = 0;
    for (std::size_t k = 0; k < id_bytes; ++k) value = value << 8 | static_cast<unsigned char>(bytes[k]);
    return value;
}

// What somebody else brings along, and can write any id into.
bool comes_from_outside(Purpose purpose) { return purpose == Purpose::session_token || purpose == Purpose::page_token || purpose == Purpose::diagnostic; }

// A key that is not kept: wiped when it goes.
struct Passing {
    Key bytes;
    ~Passing() { sodium_memzero(bytes, sizeof bytes); }
};

// All keys of one root.
struct Keys {
    Key root_mark;  // tells roots apart, says nothing about them
    Key fingerprint;
    Key sealing[purposes];
    Key code, index, nonce, receipt;
    unsigned char checkpoint_secret[crypto_sign_SECRETKEYBYTES];
    unsigned char checkpoint_public[crypto_sign_PUBLICKEYBYTES];
    std::uint32_t id;
};

struct Wipe {
    void operator()(Keys* keys) const noexcept { sodium_free(keys); }  // which wipes
};

std::shared_ptr<const Keys> derive_all(const Root& root) {
    if (root.bytes.reveal().size() != root_bytes) throw std::invalid_argument("the root of the keys has 32 bytes");
    std::unique_ptr<Keys, Wipe> keys(static_cast<Keys*>(sodium_malloc(sizeof(Keys))));
    if (!keys) throw std::bad_alloc();
    Passing pseudorandom, seed;  // HKDF's; the root itself is not kept
    hkdf_extract(root.bytes.reveal(), pseudorandom.bytes);
    const auto derive = [&](std::string_view purpose, Key& key) { hkdf_expand(pseudorandom.bytes, fmt::format("openrd/{}/{}", purpose, root.id), key); };
    keys->id = root.id;
    derive("mark", keys->root_mark);
    derive("fingerprint", keys->fingerprint);
    for (std::size_t i = 0; i < purposes; ++i) derive(name_of(static_cast<Purpose>(i)), keys->sealing[i]);
    derive("code", keys->code);
    derive("index", keys->index);
    if (root.id == 0) std::ranges::copy(root.bytes.reveal(), keys->nonce);  // carried over, no root
    else derive("nonce", keys->nonce);
    derive("dlr", keys->receipt);
    derive("checkpoint", seed.bytes);
    crypto_sign_seed_keypair(keys->checkpoint_public, keys->checkpoint_secret, seed.bytes);
    sodium_mprotect_readonly(keys.get());
    return keys;
}

}  // namespace

// Never changed once it is seen by others.
struct Ring::State {
    std::vector<std::shared_ptr<const Keys>> roots;  // by id, rising
    Uses uses;
    std::string missing;  // why nothing can be done; empty: it can
    const Keys* code = nullptr;
    const Keys* index = nullptr;
    const Keys* encryption = nullptr;
    const Keys* checkpoint = nullptr;

    State(std::vector<std::shared_ptr<const Keys>> all, const Uses& chosen) : roots(std::move(all)), uses(chosen) {
        const auto choose = [this](std::uint32_t id, std::string_view what) {
            const auto* keys = find(id);
            if (!keys && missing.empty()) missing = fmt::format("the key file has no key {}, which the {} key of this database is: put the newer key file in its place", id, what);
            return keys;
        };
        code = choose(uses.code, "code");
        index = choose(uses.index, "index");
        encryption = choose(uses.encryption, "encryption");
        checkpoint = choose(uses.checkpoint, "checkpoint");
    }
    const Keys* find(std::uint32_t id) const {
        for (const auto& keys : roots)
            if (keys->id == id && id != 0) return keys.get();
        return nullptr;
    }
    const Keys& get(std::uint32_t id) const {
        if (const auto* keys = find(id)) return *keys;
        throw MissingKey(fmt::format("the key file has no key {}", id));
    }
    const Keys& oldest() const { return *roots[roots.front()->id == 0 ? 1 : 0]; }
    const Keys& of_nonces() const { return *roots.front(); }
};

// A reader takes no lock and may be at any state it has seen: none goes before the ring does. There are as many as there were rotations.
struct Ring::Inner {
    std::mutex mutex;
    std::vector<std::unique_ptr<const State>> states;
    std::atomic<const State*> now = nullptr;

    void set(std::unique_ptr<const State> next) {
        now.store(next.get(), std::memory_order_release);
        states.push_back(std::move(next));
    }
};

Ring::Ring(const base::Secret& root)
    : Ring([&] {
          Roots roots;
          roots.push_back({.id = first_id, .bytes = base::Secret(std::string(root.reveal()))});
          return roots;
      }()) {}

Ring::Ring(const Roots& roots) : inner_(std::make_unique<Inner>()) {
    if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be used on this machine");
    if (roots.empty() || roots.back().id == 0) throw std::invalid_argument("a ring of keys has a root");
    std::vector<std::shared_ptr<const Keys>> all;
    for (const auto& root : roots) all.push_back(derive_all(root));
    inner_->set(std::make_unique<const State>(std::move(all), Uses{}));
}

Ring::Ring(Ring&&) noexcept = default;
Ring& Ring::operator=(Ring&&) noexcept = default;
Ring::~Ring() = default;

bool Ring::adopt(const Roots& roots) {
    if (roots.empty() || roots.back().id == 0) throw std::invalid_argument("a ring of keys has a root");
    const std::lock_guard lock(inner_->mutex);
    const auto& before = *inner_->now.load(std::memory_order_relaxed);
    std::vector<std::shared_ptr<const Keys>> all;
    bool same = roots.size() == before.roots.size();
    for (std::size_t i = 0; i < roots.size(); ++i) {
        all.push_back(derive_all(roots[i]));
        same = same && all[i]->id == before.roots[i]->id && base::constant_time_equal(view(all[i]->root_mark), view(before.roots[i]->root_mark));
    }
    if (!same) inner_->set(std::make_unique<const State>(std::move(all), before.uses));
    return !same;
}

bool Ring::use(const Uses& uses) {
    const std::lock_guard lock(inner_->mutex);
    const auto& before = *inner_->now.load(std::memory_order_relaxed);
    if (before.uses == uses) return false;
    inner_->set(std::make_unique<const State>(before.roots, uses));
    return true;
}

void Ring::use_newest() {
    const auto newest = ids().back();
    use({.code = newest, .index = newest, .encryption = newest, .checkpoint = newest});
}

const Ring::State& Ring::now() const {
    const auto& state = *inner_->now.load(std::memory_order_acquire);
    if (!state.missing.empty()) throw MissingKey(state.missing);
    return state;
}

Uses Ring::uses() const { return inner_->now.load(std::memory_order_acquire)->uses; }

std::vector<std::uint32_t> Ring::ids() const {
    std::vector<std::uint32_t> ids;
    for (const auto& keys : inner_->now.load(std::memory_order_acquire)->roots)
        if (keys->id != 0) ids.push_back(keys->id);
    return ids;
}

std::optional<std::string> Ring::trouble() const {
    const auto& missing = inner_->now.load(std::memory_order_acquire)->missing;
    return missing.empty() ? std::nullopt : std::optional(missing);
}

std::string Ring::seal(Purpose purpose, std::string_view plaintext, std::string_view associated) const {
    const auto& keys = *now().encryption;
    std::string sealed(id_bytes, '\0');
    put_be32(reinterpret_cast<unsigned char*>(sealed.data()), keys.id);
    return sealed += seal_with(view(keys.sealing[static_cast<std::size_t>(purpose)]), plaintext, associated);
}

std::optional<base::Secret> Ring::open(Purpose purpose, std::string_view sealed, std::string_view associated) const {
    if (sealed.size() < seal_overhead_bytes) return {};
    const auto& state = now();
    const auto id = be32_at(sealed);
    const auto* keys = state.find(id);
    if (!keys && comes_from_outside(purpose)) return {};
    if (!keys) throw MissingKey(fmt::format("the key file has no key {}", id));
    return open_with(view(keys->sealing[static_cast<std::size_t>(purpose)]), sealed.substr(id_bytes), associated);
}

namespace {

std::string index_of(const Keys& keys, std::string_view e164) {
    std::string index(keys.id == first_id ? 0 : id_bytes, '\0');
    if (!index.empty()) put_be32(reinterpret_cast<unsigned char*>(index.data()), keys.id);
    const auto at = index.size();
    index.resize(at + crypto_auth_hmacsha256_BYTES);
    crypto_auth_hmacsha256(reinterpret_cast<unsigned char*>(index.data()) + at, bytes_of(e164), e164.size(), keys.index);
    return index;
}

}  // namespace

std::uint32_t Ring::sealed_key_id(std::string_view sealed) { return sealed.size() < seal_overhead_bytes ? 0 : be32_at(sealed); }

std::string Ring::blind_index(std::string_view e164) const { return index_of(*now().index, e164); }

std::vector<std::string> Ring::blind_indexes(std::string_view e164) const {
    const auto& state = now();
    std::vector<std::string> indexes{index_of(*state.index, e164)};
    for (const auto& keys : state.roots)
        if (keys.get() != state.index && keys->id != 0) indexes.push_back(index_of(*keys, e164));
    return indexes;
}

bool Ring::index_matches(std::string_view index, std::string_view e164) const {
    const auto id = index_key_id(index);
    return base::constant_time_equal(index_of(id == 0 ? *now().index : now().get(id), e164), index);
}

std::uint32_t Ring::index_key_id(std::string_view index) {
    if (index.size() == crypto_auth_hmacsha256_BYTES) return first_id;
    return index.size() == id_bytes + crypto_auth_hmacsha256_BYTES ? be32_at(index) : 0;
}

namespace {
std::atomic<std::uint64_t> derived{0};
}

std::uint64_t Ring::codes_derived() { return derived.load(std::memory_order_relaxed); }

base::Secret Ring::code(std::string_view verification_id, std::string_view account_id, std::string_view purpose, std::string_view e164, std::uint32_t key_id) const {
    derived.fetch_add(1, std::memory_order_relaxed);
    const auto& keys = now().get(key_id);
    Passing mac;
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, keys.code, key_bytes);
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
    // Not a current key, and the callers are gateways: whatever else is missing.
    crypto_auth_hmacsha256_init(&state, inner_->now.load(std::memory_order_acquire)->oldest().receipt, key_bytes);
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
    crypto_shorthash_siphashx24(reinterpret_cast<unsigned char*>(hash.data()), fields, size, now().of_nonces().nonce);
    return hash;
}

namespace {
std::string fingerprint_of(const Keys& keys) { return base::hex(view(keys.fingerprint).substr(0, 8)); }
}  // namespace

std::string Ring::fingerprint() const { return fingerprint_of(inner_->now.load(std::memory_order_acquire)->oldest()); }

bool Ring::has_fingerprint(std::string_view fingerprint) const {
    return std::ranges::any_of(inner_->now.load(std::memory_order_acquire)->roots, [&](const auto& keys) { return keys->id != 0 && fingerprint_of(*keys) == fingerprint; });
}

std::string Ring::checkpoint_public_key(std::uint32_t key_id) const {
    const auto& keys = now().get(key_id);
    return {reinterpret_cast<const char*>(keys.checkpoint_public), sizeof keys.checkpoint_public};
}

std::string Ring::sign_checkpoint(std::string_view text, std::uint32_t key_id) const {
    std::string signature(crypto_sign_BYTES, '\0');
    crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, bytes_of(text), text.size(), now().get(key_id).checkpoint_secret);
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

}  // namespace openrd::keys
