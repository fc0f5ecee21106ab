#include "audit/lease.hpp"

#include "base/identifiers.hpp"
#include "store/audit_events.hpp"

#include <utility>

namespace openrd::audit {

Lease::Lease(db::Engine& engine, std::string name) : engine_(engine), name_(std::move(name)), holder_(base::identifier("h-", 20)) {}

bool Lease::silent(const store::Lease& seen) {
    const auto now = std::chrono::steady_clock::now();
    if (seen_ != seen) {
        seen_ = seen;
        seen_at_ = now;
    }
    return seen.holder.empty() || now - seen_at_ >= std::chrono::milliseconds(silence_ms);
}

bool Lease::hold() {
    std::optional<store::Lease> seen;
    engine_.read([&](db::Transaction& tx) { seen = store::find_lease(tx, name_); });
    if (seen && seen->holder != holder_ && !silent(*seen)) return false;
    bool ours = false;
    std::int64_t place = 0;
    engine_.write_and_wait([&](db::Transaction& tx) {
        place = seen ? seen->place : store::last_arrival(tx);
        if (!seen) ours = store::create_lease(tx, name_, holder_, place);
        else if (seen->holder == holder_) ours = store::hold_lease(tx, name_, holder_, place, place);
        else ours = store::take_lease(tx, name_, holder_, *seen);
    });
    if (ours) {
        place_ = place;
        seen_.reset();
    }
    return ours;
}

void Lease::give_back() noexcept {
    try {
        engine_.write_and_wait([this](db::Transaction& tx) { store::give_lease_back(tx, name_, holder_); });
    } catch (const std::exception&) {
        // Then another server waits until it has been silent for long enough.
    }
}

}  // namespace openrd::audit
