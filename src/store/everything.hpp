#pragma once
// Every table of the schema, for the sandbox's reset.
#include "db/engine.hpp"

namespace openrd::store {

// Deletes every row of every table but the engine's own; the schema stays.
void delete_everything(db::Transaction&);

}  // namespace openrd::store
