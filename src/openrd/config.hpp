#pragma once
// The configuration file of a production server (TOML 1.0): `openrd serve --config F`, and what every command takes as `--config F`.
// Whatever is in it that is not understood is refused with one line that names file and line.
#include "base/limits.hpp"
#include "openrd/data.hpp"
#include "openrd/serve.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace openrd {

struct Config {
    ServeOptions serve;  // with serve.document: the file itself
    DataPlace place;
};

// Throws Failure: the file cannot be read or trusted, does not parse, holds a key that is not known, of the wrong type or out of its
// range, lacks one that is needed, or asks for what is not safe. Opens and touches nothing else.
Config read_config(const std::string& path);

// A key of the file that is no setting of base::Settings; for docs/settings.md.
struct ConfigKey {
    std::string_view name, sentence;
};
std::span<const ConfigKey> config_keys();
// Whether a setting of all_settings() can be set in the file; for the test that all of them can.
bool can_be_configured(std::string_view setting);

}  // namespace openrd
