#pragma once
// The right to do what only one of several servers may do at a time. Whoever has it shows that he lives; another takes it when he has not for
// silence_ms by the other's own steady clock. Who has lost it finds out in the transaction that needs it: store::hold_lease.
#include "db/engine.hpp"
#include "store/leases.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace openrd::audit {

class Lease {
  public:
    static constexpr std::int64_t silence_ms = 2'500;

    // A holder's name is drawn anew for each object.
    Lease(db::Engine& engine, std::string name);

    // Takes it, or keeps it; to be called about once a second. False: another server has it. Waits for a commit. Throws db::Error.
    bool hold();
    void give_back() noexcept;

    // For store::hold_lease in a transaction of one's own; the place is what hold() and moved() have left.
    const std::string& name() const { return name_; }
    const std::string& holder() const { return holder_; }
    std::int64_t place() const { return place_; }
    void moved(std::int64_t place) { place_ = place; }

  private:
    bool silent(const store::Lease& seen);

    db::Engine& engine_;
    const std::string name_, holder_;
    std::int64_t place_ = 0;
    std::optional<store::Lease> seen_;  // of somebody else
    std::chrono::steady_clock::time_point seen_at_;
};

}  // namespace openrd::audit
