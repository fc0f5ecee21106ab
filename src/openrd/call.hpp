#pragma once
// `openrd call`: one signed call of the API, its answer on stdout.
#include "openrd/call_http.hpp"
#include "openrd/credentials.hpp"
#include "openrd/endpoint.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace openrd {

enum class SignatureVersion : std::uint8_t { v1, v3 };

struct CallOptions {
    std::string action;
    std::string version;  // empty: default_version
    std::vector<std::pair<std::string, std::string>> parameters;
    std::string endpoint, profile;  // empty: not given
    std::string format = "json";    // json, xml
    std::string method = "POST";    // POST, GET
    SignatureVersion signature = SignatureVersion::v3;
    bool help = false;
};

// The words behind `openrd call`. A word --like-this is an option of the command, one --LikeThis a parameter of the API: its value
// is what follows, or stands behind '='. Throws Failure.
CallOptions parse_call(const std::vector<std::string>& words);

// 2022-04-19 when the vendor has the action there, else the version that has it.
std::string default_version(std::string_view action);

// Ready to be sent. `nonce` is random, `now_ms` the real time.
HttpRequest signed_request(const CallOptions& call, const Endpoint& endpoint, const Credentials& credentials, std::int64_t now_ms, const std::string& nonce);

// Where to, and as whom: what the options, the environment and the vendor's CLI say. Throws Failure.
std::pair<Endpoint, Credentials> choose_target(const CallOptions& call, const Environment& environment);

// 0, or 1 when the API refused. Throws Failure.
int call(const std::vector<std::string>& words);

}  // namespace openrd
