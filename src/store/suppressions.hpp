#pragma once
// Phones that are sent nothing, by their blind index: no number stands here.
#include "db/engine.hpp"

#include <span>
#include <vector>

namespace openrd::store {

// stop: its owner answered STOP. bounce: the carriers say that there is no such phone. operator: somebody decided so.
inline constexpr std::string_view suppressed_by_stop = "stop", suppressed_by_bounce = "bounce", suppressed_by_operator = "operator";

struct Suppression {
    std::string phone_index;
    std::string reason;
    std::string created_by;  // "operator:root", or the channel that said so
    std::int64_t created_at_ms = 0;
    std::optional<std::int64_t> until_ms;  // nothing: for good
};

// Replaces what was said of the phone before.
void put_suppression(db::Transaction&, const Suppression&);
// False: it was not suppressed.
bool delete_suppression(db::Transaction&, std::string_view phone_index);
bool is_suppressed(db::Transaction&, std::string_view phone_index, std::int64_t now_ms);
// By any of a phone's indexes (keys::Ring::blind_indexes): the number is not kept, so that a row stays under the key it was made with.
bool is_suppressed(db::Transaction&, std::span<const std::string> phone_indexes, std::int64_t now_ms);
// In order of their indexes, after `after`; those that are over as well.
std::vector<Suppression> list_suppressions(db::Transaction&, std::string_view after, std::int64_t limit);

}  // namespace openrd::store
