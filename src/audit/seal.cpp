#include "audit/seal.hpp"

#include "store/audit_events.hpp"
#include "store/key_uses.hpp"

#include <fmt/format.h>

#include <chrono>
#include <thread>
#include <utility>

namespace openrd::audit {
namespace {

constexpr std::int64_t batch_rows = 256;      // read in one snapshot
constexpr std::int64_t numbered_rows = 1000;  // in one transaction

// Another server has taken the lease: what this one has begun is rolled back.
struct Overtaken {};

}  // namespace

struct Seal::Batch {
    std::optional<store::Checkpoint> checkpoint;
    std::int64_t last_arrival = 0;
    std::vector<store::AuditEvent> events;
    std::vector<std::string> key_changes;
};

tl::expected<Checkpoint, std::string> own_checkpoint(std::string_view note, std::string_view root, std::int64_t size, const KeyChain& keys) {
    auto checkpoint = keys.parse_and_verify(note);
    if (checkpoint && (bytes_of(checkpoint->root) != root || size < 0 || checkpoint->size != static_cast<std::uint64_t>(size))) {
        return tl::unexpected<std::string>("its note says something else than its row");
    }
    return checkpoint;
}

Seal::Seal(db::Engine& engine, const keys::Ring& ring, std::string origin, const base::Clock& clock, std::int64_t pass, Lease* lease)
    : engine_(engine), ring_(ring), origin_(std::move(origin)), clock_(clock), pass_(pass), lease_(lease) {
    if (!valid_origin(origin_)) throw std::invalid_argument("the origin of the audit log must be a name without spaces and '+', such as example.com/audit");
}

void Seal::accept_base(const Batch& batch) {
    head_ = {};
    tree_ = {};
    if (!batch.checkpoint) return;
    const auto& stored = *batch.checkpoint;
    const auto keys = own_chain(ring_, origin_, batch.key_changes);
    if (!keys) throw Unsealable(keys.error());
    const auto checkpoint = own_checkpoint(stored.note, stored.root, stored.tree_size, *keys);
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

// On a shared database the entries get their places here, in the order in which they were committed as far as anybody can tell.
void Seal::number() {
    std::int64_t count = numbered_rows;
    bool waiting = false;
    engine_.read([&](db::Transaction& tx) { waiting = store::has_events_to_number(tx); });
    while (waiting && count == numbered_rows) {
        engine_.write_and_wait([&](db::Transaction& tx) {
            count = store::number_audit_events(tx, lease_->place(), numbered_rows);
            if (!store::hold_lease(tx, lease_->name(), lease_->holder(), lease_->place(), lease_->place() + count)) throw Overtaken{};
        });
        lease_->moved(lease_->place() + count);
    }
}

Seal::Result Seal::once(const Head& known) {
    Batch batch;
    try {
        if (lease_) number();
    } catch (const Overtaken&) { return Result::overtaken; }
    engine_.read([&](db::Transaction& tx) {
        batch.checkpoint = store::last_checkpoint(tx);
        batch.key_changes = store::list_key_changes(tx);
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
    // Before it signs: the ring follows the database, so that a key which is not the database's any more is seen there.
    const auto key_id = ring_.uses().checkpoint;
    const Checkpoint next{.origin = origin_, .size = tree_.size(), .root = tree_.root()};
    const store::Checkpoint row{.tree_size = static_cast<std::int64_t>(next.size),
                                .root = std::string(bytes_of(next.root)),
                                .frontier = tree_.frontier(),
                                .note = sign(next, ring_),
                                .created_at_ms = clock_.now_ms()};
    bool stored = false;
    engine_.write_and_wait([&](db::Transaction& tx) {
        stored = false;
        if (store::hold_checkpoint_key(tx) != key_id) return;
        const auto last = store::last_checkpoint(tx);
        if (last ? last->tree_size != head_.size || last->root != bytes_of(head_.root) : head_.size != 0) return;
        // Event ids are random: a log that was begun anew meanwhile has another one here.
        const auto newest = store::audit_events_after(tx, row.tree_size - 1, 1);
        if (newest.empty() || newest[0].arrival != row.tree_size || newest[0].event_id != last_event_id_) return;
        if (lease_ && !store::hold_lease(tx, lease_->name(), lease_->holder(), lease_->place(), lease_->place())) return;
        store::insert_checkpoint(tx, row);
        stored = true;
    });
    if (stored) head_ = {.size = row.tree_size, .root = next.root};
    return stored;
}

namespace {

// Beside servers of which one holds the lease: whoever has it seals what is here.
Head seal_now_shared(db::Engine& engine, const keys::Ring& ring, std::string_view origin, const base::Clock& clock) {
    constexpr int looks = 100;
    Lease lease(engine, std::string(store::sealer_lease));
    Seal seal(engine, ring, std::string(origin), clock, Seal::entries_of_a_pass, &lease);
    std::int64_t goal = 0;
    engine.read([&](db::Transaction& tx) { goal = store::count_audit_events(tx); });
    for (int n = 0; n < looks; ++n) {
        if (lease.hold()) {
            while (seal.once() == Seal::Result::sealed) {}
            lease.give_back();
            return seal.head();
        }
        std::optional<store::Checkpoint> last;
        std::vector<std::string> key_changes;
        engine.read([&](db::Transaction& tx) {
            last = store::last_checkpoint(tx);
            key_changes = store::list_key_changes(tx);
        });
        if (last && last->tree_size >= goal) {
            const auto keys = own_chain(ring, origin, key_changes);
            if (!keys) throw Unsealable(keys.error());
            const auto checkpoint = own_checkpoint(last->note, last->root, last->tree_size, *keys);
            if (!checkpoint) throw Unsealable(fmt::format("the checkpoint of {} entries in the database is not one of {}: {}", last->tree_size, origin, checkpoint.error()));
            return {.size = last->tree_size, .root = checkpoint->root};
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    throw db::Error(db::Trouble::unavailable, "the server that seals the audit log does not come to its end");
}

}  // namespace

Head seal_now(db::Engine& engine, const keys::Ring& ring, std::string_view origin, const base::Clock& clock) {
    if (engine.shared()) return seal_now_shared(engine, ring, origin, clock);
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
