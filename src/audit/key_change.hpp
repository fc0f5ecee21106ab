#pragma once
// The log's key may be changed (docs/decisions/0039). The change is a signed note by both keys, so that whoever trusts one of them can
// follow to the other:
//     "openrd audit key change" LF origin LF size LF old verifier key LF new verifier key LF LF two signature lines
// Checkpoints of up to `size` entries are signed with the old key, larger ones with the new: a checkpoint of the wrong one is not valid,
// so that an old key that gets lost later vouches for nothing new.
#include "audit/checkpoint.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::audit {

// From the key of the ring's root `old_id` to that of `new_id`. Throws keys::MissingKey, and std::invalid_argument as sign() does.
std::string sign_key_change(const keys::Ring& ring, std::string_view origin, std::uint64_t size, std::uint32_t old_id, std::uint32_t new_id);

// The keys that a log has had, one after the other.
class KeyChain {
  public:
    explicit KeyChain(VerifierKey only) { keys_.push_back({.from = 0, .key = std::move(only)}); }
    // The notes in their order. Each must be signed by both of its keys and go on from the one before; `trusted` must be one of them. The
    // error is one line.
    static tl::expected<KeyChain, std::string> of_notes(const std::vector<std::string>& notes, const VerifierKey& trusted);

    // As audit::parse_and_verify, with the key that was the log's at that size.
    tl::expected<Checkpoint, std::string> parse_and_verify(std::string_view note) const;
    bool holds(const VerifierKey& key) const;
    const VerifierKey& newest() const { return keys_.back().key; }
    std::size_t changes() const { return keys_.size() - 1; }

  private:
    struct Era {
        std::uint64_t from;  // more entries than this; the first one: from none
        VerifierKey key;
    };
    KeyChain() = default;
    const VerifierKey& key_of(std::uint64_t size) const;
    std::vector<Era> keys_;
};

// Of a log in the database: `notes` as the database has them, with the key of the ring.
tl::expected<KeyChain, std::string> own_chain(const keys::Ring& ring, std::string_view origin, const std::vector<std::string>& notes);

}  // namespace openrd::audit
