#pragma once
// A JSON value as the flat parameters that it stands for: {"Tag":[{"Key":"k"}]} is Tag.1.Key=k.
#include "wire/parameters.hpp"

namespace openrd::wire {

inline constexpr std::size_t json_depth = 8;
inline constexpr std::size_t json_name_bytes = 1024;  // of a flattened name: a long key around a long list would multiply

enum class JsonTop : std::uint8_t { object, array };

// Appends to `into`, in the order of the text, at most up to limits.count entries in all; null is none. `under` is the name of
// what is flattened: empty for a body, which must be an object. A member's name that stands twice in its object is refused.
// After a refusal `into` holds only what it held before.
tl::expected<void, ParameterRefusal> flatten_json(std::string_view json, JsonTop top, std::string_view under, const base::ParameterLimits& limits,
                                                  std::vector<Parameters::Entry>& into);

// A purely numeric part behind a dot ("Tag.1001.Key") that is above the limit.
bool index_too_large(std::string_view name, std::uint32_t limit);

// For a message: at most 64 bytes, what is not printable ASCII as '?'.
std::string printable(std::string_view name);

}  // namespace openrd::wire
