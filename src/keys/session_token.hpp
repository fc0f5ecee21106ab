#pragma once
// The SecurityToken of a role session (protocol.md H.3). It holds the whole session, sealed, so that no lookup is needed: what
// openrd cannot open it did not make. Whether the session is over is the caller's to check, who has the clock.
#include "base/secret.hpp"
#include "keys/ring.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::keys {

// Enough for the longest session policy: 2048 characters of four bytes each.
inline constexpr std::size_t session_token_bytes = 12 * 1024;

struct Session {
    std::string access_key_id;  // STS....
    base::Secret secret;        // that requests are signed with
    std::string account_id, role_id, role_name, session_name;
    std::int64_t issued_at_ms = 0, expires_at_ms = 0;
    std::string policy;           // of the session; empty: none
    std::string source_identity;  // empty: none
};

// Base64 text that begins with CAIS, as the vendor's do. Throws std::length_error when it would be longer than a token may be.
base::Secret seal_session(const Ring& ring, const Session& session);
// Nothing for what is not a whole token made with this key file. Longer texts are refused before they are looked at.
std::optional<Session> open_session(const Ring& ring, std::string_view token);

}  // namespace openrd::keys
