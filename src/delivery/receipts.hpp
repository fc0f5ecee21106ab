#pragma once
// Where a gateway tells what became of a message: /internal/dlr/<channel>/<message id>/<token>. The token makes the address one that
// nobody can guess, so that a made-up receipt is told from a real one whatever the gateway's own protection (verification.md 7.3).
#include "keys/ring.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace openrd::delivery {

inline constexpr std::string_view receipts_prefix = "/internal/dlr/";

std::string receipt_path(const keys::Ring& ring, std::string_view channel, std::string_view message_id);

// The message that the path of `target` is about; nothing when it is not of this channel, or its token is not ours.
std::optional<std::string> message_of_receipt(const keys::Ring& ring, std::string_view channel, std::string_view target);

// The last value of a name in the query of `target` or in a form, decoded; empty: not there.
std::string query_value(std::string_view target, std::string_view name);
std::string form_value(std::string_view form, std::string_view name);

}  // namespace openrd::delivery
