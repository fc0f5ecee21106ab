#pragma once
// Standard Webhooks 1.0.0, symmetric ("v1"): what a channel and a risk probe sign alike.
#include "base/secret.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace openrd::delivery {

// The key of "whsec_" and base64 of 24 to 64 bytes; nothing when it is written otherwise.
std::optional<base::Secret> webhook_key(const base::Secret& secret);

// The header webhook-signature: one signature for each key, so that a receiver may know either while it is changed.
std::string webhook_signature(std::span<const base::Secret> keys, std::string_view id, std::int64_t timestamp_s, std::string_view body);

}  // namespace openrd::delivery
