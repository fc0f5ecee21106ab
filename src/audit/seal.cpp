#include "audit/seal.hpp"

#include "store/audit_events.hpp"

#include <fmt/format.h>

#include <utility>

namespace openrd::audit {
namespace {

constexpr std::int64_t batch_rows = 256;  // read in one snapshot

}  // namespace

struct Seal::Batch {
    std::optional<store::Checkpoint> checkpoint;
    std::int64_t last_arrival = 0;
    std::vector<store::AuditEvent> events;
};

tl::expected<Checkpoint, std::string> own_checkpoint(std::string_view note, std::string_view root, std::int64_t size, const VerifierKey& key) {
    auto checkpoint = parse_and_verify(note, key);
    if (checkpoint && (bytes_of(checkpoint->root) != root || size < 0 || checkpoint->size != static_cast<std::uint64_t>(size))) {
        return tl::unexpected<std::string>("its note says something else than its row");
    }
    return checkpoint;
}

Seal::Seal(db::Engine& engine, const keys::Ring& ring, std::string origin, const base::Clock& clock, std::int64_t pass)
    : engine_(engine), ring_(ring), origin_(std::move(origin)), clock_(clock), pass_(pass) {
    if (!valid_origin(origin_)) throw std::invalid_argument("the origin of the audit log must be a name without spaces and '+', such as example.com/audit");
}

void Seal::accept_base(const Batch& batch) {
    head_ = {};
    tree_ = {};
    if (!batch.checkpoint) return;
    const auto& stored = *batch.checkpoint;
    const auto checkpoint = own_checkpoint(stored.note, stored.root, stored.tree_size, verifier_key(ring_, origin_));
    if (!checkpoint) throw Unsealable(fmt::format("the checkpoint of {} entries in the database is not one of {}: {}", stored.tree_size, origin_, checkpoint.error()));
    auto tree = Tree::from_frontier(checkpoint->size, stored.frontier);
    if (!tree || tree->root() != checkpoint->root) throw Unsealable(fmt::format("the checkpoint of {} entries in the database does not fit its frontier", stored.tree_size));
    if (batch.last_arrival < stored.tree_size)
        throw Unsealable(fmt::format("the checkpoint covers {} entries of the audit log, the database holds them only up to arrival {}", stored.tree_size, batch.last_arrival));
    head_ = {.size = stored.tree_size, .root = checkpoint->root};
    tree_ = std::move(*tree);
}

void Seal::add(const Batch& batch) {
    for (const auto& event : batch.events) {
        const auto expected = static_cast<std::int64_t>(tree_.size()) + 1;
        if (event.arrival > expected) throw Unsealable(fmt::format("entry {} of the audit log is missing: entry {} follows entry {}", expected, event.arrival, expected - 1));
        if (event.arrival < expected) throw Unsealable(fmt::format("entry {} of the audit log is there twice", event.arrival));
        if (event.body.find('\n') != event.body.npos) throw Unsealable(fmt::format("entry {} of the audit log is more than one line", event.arrival));
        tree_.add(leaf_hash(event.body));
    }
    if (!batch.events.empty()) last_event_id_ = batch.events.back().event_id;
}

Seal::Result Seal::once(const Head& known) {
    Batch batch;
    engine_.read([&](db::Transaction& tx) {
        batch.checkpoint = store::last_checkpoint(tx);
        batch.last_arrival = store::last_arrival(tx);
        batch.events = store::audit_events_after(tx, batch.checkpoint ? batch.checkpoint->tree_size : 0, batch_rows);
    });
    accept_base(batch);
    if (head_.size < known.size || (head_.size == known.size && head_ != known))
        throw Unsealable(fmt::format("the checkpoint of {} entries of the audit log that was signed is gone from the database", known.size));
    if (batch.events.empty()) return Result::nothing;
    const auto base = head_.size;
    for (;;) {
        add(batch);
        const auto size = static_cast<std::int64_t>(tree_.size());
        if (std::cmp_less(batch.events.size(), batch_rows) || size - base >= pass_) break;
        engine_.read([&](db::Transaction& tx) { batch.events = store::audit_events_after(tx, size, batch_rows); });
    }

    return store_head() ? Result::sealed : Result::overtaken;
}

bool Seal::store_head() {
    const Checkpoint next{.origin = origin_, .size = tree_.size(), .root = tree_.root()};
    const store::Checkpoint row{.tree_size = static_cast<std::int64_t>(next.size),
                                .root = std::string(bytes_of(next.root)),
                                .frontier = tree_.frontier(),
                                .note = sign(next, ring_),
                                .created_at_ms = clock_.now_ms()};
    bool stored = false;
    engine_.write_and_wait([&](db::Transaction& tx) {
        stored = false;
        const auto last = store::last_checkpoint(tx);
        if (last ? last->tree_size != head_.size || last->root != bytes_of(head_.root) : head_.size != 0) return;
        // Event ids are random: a log that was begun anew meanwhile has another one here.
        const auto newest = store::audit_events_after(tx, row.tree_size - 1, 1);
        if (newest.empty() || newest[0].arrival != row.tree_size || newest[0].event_id != last_event_id_) return;
        store::insert_checkpoint(tx, row);
        stored = true;
    });
    if (stored) head_ = {.size = row.tree_size, .root = next.root};
    return stored;
}

Head seal_now(db::Engine& engine, const keys::Ring& ring, std::string_view origin, const base::Clock& clock) {
    // A server that seals at the same time may overtake this again and again, but then it seals what is here.
    constexpr int overtaken_at_most = 100;
    Seal seal(engine, ring, std::string(origin), clock);
    std::int64_t goal = 0;
    engine.read([&](db::Transaction& tx) { goal = store::last_arrival(tx); });
    for (int overtaken = 0; overtaken < overtaken_at_most;) {
        const auto result = seal.once();
        if (result == Seal::Result::nothing || (result == Seal::Result::sealed && seal.head().size >= goal)) return seal.head();
        if (result == Seal::Result::overtaken) ++overtaken;
    }
    throw db::Error(db::Trouble::unavailable, "the audit log is being sealed by somebody else all the time");
}

}  // namespace openrd::audit
