#pragma once
// Whose AccessKey pair `openrd call` signs with: the environment's, a profile's of the vendor's CLI, or on a loopback address the
// sandbox's (sandbox.md 1).
#include "base/secret.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace openrd {

struct Credentials {
    std::string access_key_id;
    base::Secret secret;
    std::string security_token;  // of a session; otherwise empty
};

// Of ~/.aliyun/config.json.
struct CliProfile {
    Credentials credentials;
    std::string endpoint;  // often empty
};

using Environment = std::function<std::optional<std::string>(const char* name)>;
std::optional<std::string> process_environment(const char* name);

// ALIBABA_CLOUD_ACCESS_KEY_ID, _SECRET and _SECURITY_TOKEN. Nothing: no id; Failure: an id without its secret.
std::optional<Credentials> environment_credentials(const Environment& environment);

// The profile of that name, or the current one when it is empty. Nothing: the file has none, or the current one has no pair.
// Failure: the file is no configuration, or the named profile is not there or is of a mode that needs more than a pair.
std::optional<CliProfile> profile_in(std::string_view config_json, std::string_view name);
// The text of ~/.aliyun/config.json; nothing when it is not there.
std::optional<std::string> read_cli_config(const Environment& environment);

}  // namespace openrd
