#pragma once
// Which root of the key file is current for what (docs/decisions/0038). It stands in the database, so that a rotation begins for every
// server in one commit; the key file holds the roots alone.
#include "db/engine.hpp"
#include "keys/ring.hpp"

namespace openrd::store {

keys::Uses load_key_uses(db::Transaction&);
// Waits for nobody else who holds it: whoever decides by it takes it first (hold_checkpoint_key).
void put_key_uses(db::Transaction&, const keys::Uses&);

// The key that checkpoints are signed with, and nobody else changes it until this transaction ends.
std::uint32_t hold_checkpoint_key(db::Transaction&);

// The notes that say that the log's key changed, oldest first: audit/key_change.hpp.
std::vector<std::string> list_key_changes(db::Transaction&);
void append_key_change(db::Transaction&, std::string_view note);

}  // namespace openrd::store
