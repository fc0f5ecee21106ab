#pragma once
// The query of a control endpoint: name=value pairs, percent-encoded. A '+' stands for itself, so that to=+6581234567 is understood
// as it is typed.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::sandbox {

struct Target {
    std::string_view path;
    std::vector<std::pair<std::string, std::string>> query;

    // The value of the name; nothing when it is not there.
    std::optional<std::string_view> find(std::string_view name) const;
};

// Nothing when an escape is malformed, a name stands there twice or there are more than 32.
std::optional<Target> parse_target(std::string_view target);

}  // namespace openrd::sandbox
