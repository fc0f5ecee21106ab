#pragma once
#include "openrd/data.hpp"

#include <string>

namespace openrd {

// `openrd migrate`: brings a database up to the schema that this binary knows, when the key file is its own. Returns 0.
// `distributed`: empty, or "citus": then it makes the schema where there is none, and tells the cluster how each table lies on its nodes.
int migrate(const DataPlace& place, const std::string& distributed = {});

}  // namespace openrd
