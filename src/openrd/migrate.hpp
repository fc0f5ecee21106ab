#pragma once
#include "openrd/data.hpp"

namespace openrd {

// `openrd migrate`: brings a database up to the schema that this binary knows, when the key file is its own. Returns 0.
int migrate(const DataPlace& place);

}  // namespace openrd
