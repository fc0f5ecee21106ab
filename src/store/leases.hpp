#pragma once
// What only one server does at a time. A holder shows that it lives by a beat that grows; no clock is compared with another one's.
#include "db/engine.hpp"

#include <optional>
#include <string>

namespace openrd::store {

inline constexpr std::string_view sealer_lease = "sealer";

struct Lease {
    std::string holder;  // empty: given back
    std::int64_t beat = 0;
    std::int64_t place = 0;  // how far the work has come

    friend bool operator==(const Lease&, const Lease&) = default;
};
std::optional<Lease> find_lease(db::Transaction&, std::string_view name);
// Makes it when it was never there. False: somebody else did.
bool create_lease(db::Transaction&, std::string_view name, std::string_view holder, std::int64_t place);
// Takes it from whoever was seen with it, if nothing has moved since.
bool take_lease(db::Transaction&, std::string_view name, std::string_view holder, const Lease& seen);
// Beats, and moves the place. False: it is not ours any more, or the place is another one: nothing that depends on it may be committed.
bool hold_lease(db::Transaction&, std::string_view name, std::string_view holder, std::int64_t place, std::int64_t new_place);
void give_lease_back(db::Transaction&, std::string_view name, std::string_view holder);

}  // namespace openrd::store
