#pragma once
#include <string>

namespace openrd {

// `openrd migrate`: brings a database up to the schema that this binary knows. Returns 0.
int migrate(const std::string& directory);

}  // namespace openrd
