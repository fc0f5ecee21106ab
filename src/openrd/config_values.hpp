#pragma once
// The settings of base::Settings as the configuration file writes them: by their dotted names, each of its type and range.
#include "openrd/config_document.hpp"

#include "base/limits.hpp"

namespace openrd {

// Whether `name` is such a setting; then it was read into `settings`. Throws Failure for a value that does not fit.
bool read_setting(const ConfigDocument& document, std::string_view name, const toml::node& node, base::Settings& settings);

// Of any key. Each throws Failure when the type is another.
std::string read_text(const ConfigDocument& document, std::string_view name, const toml::node& node);
bool read_yes_no(const ConfigDocument& document, std::string_view name, const toml::node& node);

}  // namespace openrd
