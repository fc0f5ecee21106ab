#pragma once
// All operations of the server: a constant table, generated from the sorted list in each product's CMakeLists.txt.
#include "api/operation.hpp"

namespace openrd::api {

// Sorted by name without regard to case.
std::span<const AnyOperation* const> operations();

// The vendor compares action names without regard to case (Terraform sends UnTagResources). Null: no such action in the version.
const AnyOperation* find(std::string_view action, Version version);

// Whether the vendor has such an action in that version, served here or not; gives its name as the vendor writes it, or nothing.
std::string_view vendor_action(std::string_view action, Version version);

}  // namespace openrd::api
