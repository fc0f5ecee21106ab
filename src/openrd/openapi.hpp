#pragma once
// The declarations as an OpenAPI 3 document.
#include "api/operation.hpp"

#include <string>
#include <utility>
#include <vector>

namespace openrd {

// RPC APIs have one path; each operation gets its own by a fragment, /#Action=GetAccount&Version=2022-04-19, as is usual for them.
std::string openapi(const std::vector<std::pair<const api::AnyOperation*, api::Version>>& operations);

}  // namespace openrd
