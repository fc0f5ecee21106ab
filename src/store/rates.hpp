#pragma once
// Counters in fixed windows, and how many accounts use a phone. A bucket's name never holds a number in clear.
#include "db/engine.hpp"

#include <span>
#include <string>

namespace openrd::store {

// Adds `amount` in the window that begins at window_ms, unless that would pass `limit`: then false and nothing counted.
bool count_in_window(db::Transaction&, std::string_view bucket, std::int64_t window_ms, std::int64_t expires_at_ms, std::int64_t limit, std::int64_t amount = 1);
// Takes one back.
void uncount_in_window(db::Transaction&, std::string_view bucket, std::int64_t window_ms);
// What the window holds.
std::int64_t counted_in_window(db::Transaction&, std::string_view bucket, std::int64_t window_ms);
bool has_old_windows(db::Transaction&, std::int64_t now_ms);
// Deletes at most `limit` rows of windows that are over.
std::int64_t delete_old_windows(db::Transaction&, std::int64_t now_ms, std::int64_t limit);

// One more account uses the phone, unless `limit` do already: then false. Of its indexes (keys::Ring::blind_indexes) the first is counted
// under, all of them together against the limit.
bool count_phone_use(db::Transaction&, std::span<const std::string> phone_indexes, std::int64_t limit);
bool count_phone_use(db::Transaction&, const std::string& phone_index, std::int64_t limit);
void release_phone_use(db::Transaction&, std::string_view phone_index);

}  // namespace openrd::store
