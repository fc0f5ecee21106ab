#pragma once
// The gateway's checks, in the order of protocol.md 0: each gives the refusal, or nothing when the request passes.
#include "pipeline/exchange.hpp"

namespace openrd::pipeline {

using Checked = std::optional<Refusal>;

// Parameters, format and scheme. `limits` before anything is allocated.
Checked collect(Exchange&, const base::Settings&);
// Product, version and action.
Checked resolve(Exchange&);
// That everything that a signature needs is there and well formed, and the time.
Checked check_common(Exchange&, const base::Settings&);
// The key's owner, by its id or by the session's token.
Checked find_owner(Exchange&, db::Engine&, const keys::Ring&, Identities&);
Checked check_signature(Exchange&);
// Whether find_owner() will ask the database nothing.
bool owner_is_known(const Exchange&, const db::Engine&, Identities&);

// Reads the identity of the exchange anew inside a transaction, when any identity has changed since.
Checked refresh_identity(Exchange&, db::Transaction&, const keys::Ring&, std::uint64_t generation);
Checked reload_identity(Exchange&, db::Transaction&, const keys::Ring&, std::uint64_t generation);

}  // namespace openrd::pipeline
