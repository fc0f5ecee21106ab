#pragma once
// Bringing what stands under an older key under the current one, in small transactions beside running servers. Each row is changed
// only if it still is what was read, so that a job may be killed and begun again at any time.
#include "db/engine.hpp"
#include "keys/ring.hpp"

#include <cstdint>

namespace openrd {

struct KeyJobReport {
    std::int64_t moved = 0;
    std::int64_t unreadable = 0;  // damaged, or not sealed by this key file: left as it is
};

KeyJobReport reseal_everything(db::Engine&, const keys::Ring&);
// Subjects of the log whose number is kept nowhere else are found by no number any more: the next entry of that number has a new one.
KeyJobReport move_indexes(db::Engine&, const keys::Ring&);

// What is sealed, found or coded with this key: as long as there is anything, the key is needed.
struct UnderKey {
    std::int64_t sealed = 0, indexes = 0;
    std::int64_t suppressions = 0;  // their numbers are not kept: no job brings them under another key
    std::int64_t codes = 0;         // that can still be redeemed
    std::int64_t sum() const { return sealed + indexes + suppressions + codes; }
};
UnderKey count_under(db::Engine&, std::uint32_t key_id, std::int64_t now_ms);

}  // namespace openrd
