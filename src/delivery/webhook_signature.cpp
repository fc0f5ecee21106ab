#include "delivery/webhook_signature.hpp"

#include "base/text.hpp"
#include "wire/digest.hpp"
#include "wire/signature.hpp"

#include <fmt/format.h>

namespace openrd::delivery {

std::optional<base::Secret> webhook_key(const base::Secret& secret) {
    constexpr std::string_view prefix = "whsec_";
    if (!secret.reveal().starts_with(prefix)) return {};
    auto key = base::unbase64(secret.reveal().substr(prefix.size()));
    if (!key || key->size() < 24 || key->size() > 64) return {};
    return base::Secret(std::move(*key));
}

std::string webhook_signature(std::span<const base::Secret> keys, std::string_view id, std::int64_t timestamp_s, std::string_view body) {
    auto text = fmt::format("{}.{}.{}", id, timestamp_s, body);
    std::string signatures;
    for (const auto& key : keys) {
        if (!signatures.empty()) signatures += ' ';
        signatures += "v1," + base::base64(wire::view_of(wire::SigningKey(key).v3_sha256(text)));
    }
    base::wipe(text);
    return signatures;
}

}  // namespace openrd::delivery
