#pragma once
// Every key of openrd, derived from the roots in the key file: HKDF-SHA256(root <id>, info = "openrd/<purpose>/<id>").
// A purpose has its own keys, so that what one of them opens says nothing about the others; a key has the id of its root, so that it
// can be rotated: new things are made with the current key, old ones are opened with the one they name (verification.md 5). The key
// file has the roots; which of them is current for what is the database's to say (store/key_uses.hpp, docs/decisions/0038).
#include "base/secret.hpp"
#include "keys/key_file.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::keys {

// What is sealed. In brackets what it is associated with: openrd opens it only there.
enum class Purpose : std::uint8_t {
    access_key_secret,  // [AccessKey id]
    phone,              // of accounts, members and verifications [account id]
    outbox,             // the phone a message goes to [message id]
    subject,            // the key of one subject of the audit log [subject_ref]
    session_token,      // keys/session_token.hpp
    page_token,         // page_token()
    diagnostic,         // what a refusal says to those who may decode it ["diagnostic"]
};
inline constexpr std::size_t purposes = 7;

// Which root is used for new things.
struct Uses {
    std::uint32_t code = 1, index = 1, encryption = 1, checkpoint = 1;
    friend bool operator==(const Uses&, const Uses&) = default;
};

// A key is needed whose root is not in this process's key file: that of another server was rotated and this one's was not yet replaced.
// Whoever meets it has found nothing out: not that a code is wrong, not that a phone is not bound.
class MissingKey : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// What sealing adds: the key id, the nonce and the tag.
inline constexpr std::size_t seal_overhead_bytes = 44;
// The longest NextToken that the contract allows, and what it can carry.
inline constexpr std::size_t page_token_bytes = 256, page_payload_bytes = 148;

// All functions may be called from many threads; only adopt() and use() take a lock. The keys stand in guarded memory that stays out
// of swap and core files, and are wiped. Where a function needs a key that is missing, it throws MissingKey.
class Ring {
  public:
    // 32 bytes, else std::invalid_argument.
    explicit Ring(const base::Secret& root);
    explicit Ring(const Roots& roots);
    // keys/key_file.hpp; both throw FileError.
    static Ring load(const std::string& path) { return Ring(read_key_file(path)); }
    static Ring create(const std::string& path, FolderSync folder = FolderSync::now) { return Ring(create_key_file(path, folder)); }
    Ring(Ring&&) noexcept;
    Ring& operator=(Ring&&) noexcept;
    ~Ring();

    // From now on these roots, or these uses of them, while other threads go on with what they have begun. What is current and not in
    // the key file makes everything throw MissingKey, until one of the two comes again. True: it was another than before.
    bool adopt(const Roots& roots);
    bool use(const Uses& uses);
    // For a database that is made now: the first root may be retired.
    void use_newest();
    Uses uses() const;
    std::vector<std::uint32_t> ids() const;  // of the roots, rising
    // What is missing, for a person; nothing: all is there.
    std::optional<std::string> trouble() const;

    // key id (4 bytes, big-endian) | nonce | XChaCha20-Poly1305. `associated` is bound to it, not in it.
    std::string seal(Purpose purpose, std::string_view plaintext, std::string_view associated) const;
    // Nothing when it was sealed for another purpose or place, by another key file, or was changed.
    std::optional<base::Secret> open(Purpose purpose, std::string_view sealed, std::string_view associated) const;

    static std::uint32_t sealed_key_id(std::string_view sealed);  // 0: that is nothing sealed

    // By which a phone number (or the front part of one) is found and compared: HMAC-SHA256, with the key's id (4 bytes) in front when
    // it is not 1. Personal data still, since equal numbers have equal indexes: it belongs into live tables, never into a log.
    std::string blind_index(std::string_view e164) const;
    // Under every root of the key file, that of blind_index() first: while the index key is being rotated, and wherever the number
    // itself is not kept, what is sought may stand under an older key.
    std::vector<std::string> blind_indexes(std::string_view e164) const;
    // Whether an index is of this number, by the key it was made with. In constant time.
    [[nodiscard]] bool index_matches(std::string_view index, std::string_view e164) const;
    static std::uint32_t index_key_id(std::string_view index);  // 0: that is no index

    // The six digits sent to a phone: be64(HMAC-SHA256(K_code[key_id], fields)[0..8]) mod 10^6, each field with its length in front.
    // Nothing of it is stored: it depends on all that a code must not be moved between. `verification_id` is random, 16 bytes.
    base::Secret code(std::string_view verification_id, std::string_view account_id, std::string_view purpose, std::string_view e164, std::uint32_t key_id) const;
    std::uint32_t code_key_id() const { return uses().code; }  // for new codes
    // How often code() was called in this process: that a guess at nothing does what a guess at a code does.
    static std::uint64_t codes_derived();

    // 32 hexadecimal digits that only openrd can make, for the address at which a gateway tells what became of a message.
    std::string receipt_token(std::string_view channel, std::string_view message_id) const;
    [[nodiscard]] bool receipt_token_matches(std::string_view channel, std::string_view message_id, std::string_view token) const;

    // 16 bytes that stand for a used nonce, the same after a restart: keyed, so that nobody can choose nonces that collide.
    std::string nonce_hash(std::string_view access_key_id, std::string_view nonce) const;

    // 16 hexadecimal digits kept in the database, so that another key file is refused: of the oldest root. They say nothing about the keys.
    std::string fingerprint() const;
    bool has_fingerprint(std::string_view fingerprint) const;  // of any root

    // Ed25519: signs the audit log's checkpoints. 32 and 64 bytes. Without an id with the current key.
    std::string checkpoint_public_key() const { return checkpoint_public_key(uses().checkpoint); }
    std::string checkpoint_public_key(std::uint32_t key_id) const;
    std::string sign_checkpoint(std::string_view text) const { return sign_checkpoint(text, uses().checkpoint); }
    std::string sign_checkpoint(std::string_view text, std::uint32_t key_id) const;
    static bool checkpoint_signed(std::string_view public_key, std::string_view text, std::string_view signature);

    // A NextToken: url-safe text of at most 256 characters that only openrd can make and read. `associated` is what it belongs
    // to (the operation and the directory), so that it cannot be used elsewhere. Over 148 bytes of payload: std::length_error.
    std::string page_token(std::string_view payload, std::string_view associated = {}) const;
    std::optional<std::string> open_page_token(std::string_view token, std::string_view associated = {}) const;

  private:
    struct State;
    struct Inner;
    const State& now() const;
    std::unique_ptr<Inner> inner_;
};

}  // namespace openrd::keys
