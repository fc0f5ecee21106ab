#pragma once
// Sealing: the entries that came since the last checkpoint are added to the tree in order of arrival, and its new head is signed.
// Only the checkpoint is stored, with the tree's frontier, so that nothing is read twice (hot-path.md, rule 12).
//
// What is signed cannot be taken back, so that it is refused rather than guessed: an arrival that is missing or there twice, a last
// checkpoint that is not ours or does not fit its frontier, or one that covers more entries than there are.
#include "audit/checkpoint.hpp"
#include "audit/key_change.hpp"
#include "audit/lease.hpp"
#include "base/clock.hpp"
#include "db/engine.hpp"

#include <cstdint>
#include <optional>
#include <stdexcept>

namespace openrd::audit {

// The log cannot be sealed, and will not be without somebody looking at it. One line for the operator.
class Unsealable : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A head of the log; nothing is signed yet while the size is 0.
struct Head {
    std::int64_t size = 0;
    Hash root{};

    friend bool operator==(const Head&, const Head&) = default;
};

class Seal {
  public:
    // A checkpoint is made at least every so many entries, so that a long way to seal is not lost when it is broken off.
    static constexpr std::int64_t entries_of_a_pass = 50'000;
    // Throws std::invalid_argument for an origin that is not valid. `lease`: of a shared database; once() may be called while it is held.
    Seal(db::Engine& engine, const keys::Ring& ring, std::string origin, const base::Clock& clock, std::int64_t pass = entries_of_a_pass, Lease* lease = nullptr);

    enum class Result : std::uint8_t {
        nothing,    // all of it was sealed already
        sealed,     // a checkpoint was stored; there may be more
        overtaken,  // another process sealed, or the log was begun anew, meanwhile: nothing was stored
    };
    // Reads what is new, up to a bound, and stores one checkpoint. Waits for its commit: not on a thread of the engine.
    // `known`: a checkpoint that was seen before and must not be gone. Throws Unsealable and db::Error.
    Result once(const Head& known = {});

    // The last checkpoint that once() has found or stored.
    const Head& head() const { return head_; }

  private:
    struct Batch;
    void add(const Batch& batch);
    void accept_base(const Batch& batch);
    bool store_head();
    void number();

    db::Engine& engine_;
    const keys::Ring& ring_;
    const std::string origin_;
    const base::Clock& clock_;
    const std::int64_t pass_;
    Lease* const lease_;

    Head head_;
    Tree tree_;
    std::string last_event_id_;  // of the newest entry in tree_
};

// Seals all that is there: for commands, which run beside a server as well, and for tests. Throws Unsealable and db::Error.
Head seal_now(db::Engine& engine, const keys::Ring& ring, std::string_view origin, const base::Clock& clock);

// Whether a stored checkpoint is ours: signed by the key that was the log's at its size, and its note, root and size say the same.
// The error is one line.
tl::expected<Checkpoint, std::string> own_checkpoint(std::string_view note, std::string_view root, std::int64_t size, const KeyChain& keys);

}  // namespace openrd::audit
