#pragma once
// What a fresh sandbox holds, and holds again after every reset: ids, keys and secrets are fixed, for tests and demos rely on them
// (sandbox.md 2). Never in production: these secrets are in the documentation.
#include "db/engine.hpp"
#include "keys/ring.hpp"

#include <cstdint>
#include <string_view>

namespace openrd::sandbox {

inline constexpr std::string_view made_by = "sandbox";  // store::fact_made_by

// The pair that `openrd call` takes on a loopback address when nobody gave it another.
inline constexpr std::string_view admin_access_key_id = "LTAIsandboxAdmin001", admin_secret = "sandbox-admin-secret";

// Fills an empty database: the accounts, and the facts that say whose it is.
void seed(db::Transaction&, const keys::Ring&, std::string_view audit_origin, std::int64_t now_ms);

}  // namespace openrd::sandbox
