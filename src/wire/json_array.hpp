#pragma once
// A list that the vendor's metadata gives the style "json" (protocol.md C.3).
#include "wire/parameters.hpp"

namespace openrd::wire {

// ResourceNames=["a","b"] or Tag=[{"Key":"k"}] as the numbered parameters they stand for: Tag.1.Key=k. False: no JSON array,
// or one beyond the limits; `into` is then as it was.
bool flatten_json_array(std::string_view name, std::string_view json, std::vector<Parameters::Entry>& into, const base::ParameterLimits& limits = {});

}  // namespace openrd::wire
