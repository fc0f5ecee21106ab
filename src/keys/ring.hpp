#pragma once
// Every key of openrd, derived from the one root in the key file: HKDF-SHA256(root, info = "openrd/<purpose>/<key id>").
// A purpose has its own keys, so that what one of them opens says nothing about the others; a key has an id, so that it can be
// rotated: new things are made with the current key, old ones are opened with the one they name (verification.md 5).
#include "base/secret.hpp"
#include "keys/key_file.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::keys {

// What is sealed. In brackets what it is associated with: openrd opens it only there.
enum class Purpose : std::uint8_t {
    access_key_secret,  // [AccessKey id]
    phone,              // of accounts, members and verifications [account id]
    outbox,             // the phone a message goes to [message id]
    subject,            // the key of one subject of the audit log [subject_ref]
    session_token,      // keys/session_token.hpp
    page_token,         // page_token()
};
inline constexpr std::size_t purposes = 6;

// What sealing adds: the key id, the nonce and the tag.
inline constexpr std::size_t seal_overhead_bytes = 44;
// The longest NextToken that the contract allows, and what it can carry.
inline constexpr std::size_t page_token_bytes = 256, page_payload_bytes = 148;

// const functions may be called from many threads; none takes a lock. The keys stand in guarded memory that stays out of swap
// and core files, and are wiped.
class Ring {
  public:
    // 32 bytes, else std::invalid_argument.
    explicit Ring(const base::Secret& root);
    // keys/key_file.hpp; both throw FileError.
    static Ring load(const std::string& path) { return Ring(read_key_file(path)); }
    static Ring create(const std::string& path, FolderSync folder = FolderSync::now) { return Ring(create_key_file(path, folder)); }
    Ring(Ring&&) noexcept = default;
    Ring& operator=(Ring&&) noexcept = default;

    // key id (4 bytes, big-endian) | nonce | XChaCha20-Poly1305. `associated` is bound to it, not in it.
    std::string seal(Purpose purpose, std::string_view plaintext, std::string_view associated) const;
    // Nothing when it was sealed for another purpose or place, by another key file, or was changed.
    std::optional<base::Secret> open(Purpose purpose, std::string_view sealed, std::string_view associated) const;

    // 32 bytes by which a phone number (or the front part of one) is found and compared: HMAC-SHA256. Personal data still, since
    // equal numbers have equal indexes: it belongs into live tables, never into a log.
    std::string blind_index(std::string_view e164) const;

    // The six digits sent to a phone: be64(HMAC-SHA256(K_code[key_id], fields)[0..8]) mod 10^6, each field with its length in front.
    // Nothing of it is stored: it depends on all that a code must not be moved between. `verification_id` is random, 16 bytes.
    base::Secret code(std::string_view verification_id, std::string_view account_id, std::string_view purpose, std::string_view e164, std::uint32_t key_id) const;
    std::uint32_t code_key_id() const { return code_key_id_; }  // for new codes
    // How often code() was called in this process: that a guess at nothing does what a guess at a code does.
    static std::uint64_t codes_derived();

    // 32 hexadecimal digits that only openrd can make, for the address at which a gateway tells what became of a message.
    std::string receipt_token(std::string_view channel, std::string_view message_id) const;
    [[nodiscard]] bool receipt_token_matches(std::string_view channel, std::string_view message_id, std::string_view token) const;

    // 16 bytes that stand for a used nonce, the same after a restart: keyed, so that nobody can choose nonces that collide.
    std::string nonce_hash(std::string_view access_key_id, std::string_view nonce) const;

    // 16 hexadecimal digits kept in the database, so that another key file is refused. They say nothing about the keys.
    std::string fingerprint() const;

    // Ed25519: signs the audit log's checkpoints. 32 and 64 bytes.
    std::string checkpoint_public_key() const;
    std::string sign_checkpoint(std::string_view text) const;
    static bool checkpoint_signed(std::string_view public_key, std::string_view text, std::string_view signature);

    // A NextToken: url-safe text of at most 256 characters that only openrd can make and read. `associated` is what it belongs
    // to (the operation and the directory), so that it cannot be used elsewhere. Over 148 bytes of payload: std::length_error.
    std::string page_token(std::string_view payload, std::string_view associated = {}) const;
    std::optional<std::string> open_page_token(std::string_view token, std::string_view associated = {}) const;

    // Rotation: from now on new things are made with this key. Ids begin at 1 (0: std::invalid_argument). Before the ring is
    // shared between threads.
    void set_current(Purpose purpose, std::uint32_t key_id);
    void set_current_code(std::uint32_t key_id);

  private:
    struct Keys;
    struct Wipe {
        void operator()(Keys* keys) const noexcept;
    };
    std::unique_ptr<Keys, Wipe> keys_;
    std::array<std::uint32_t, purposes> current_{};
    std::uint32_t code_key_id_ = 1;
};

}  // namespace openrd::keys
