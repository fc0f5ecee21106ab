#pragma once
// One HTTP request, for `openrd call`. libcurl and its thirty companions are loaded when they are needed: a server that starts does
// not wait for them (docs/decisions/ has the figures).
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace openrd {

struct HttpRequest {
    std::string method = "POST";  // or GET
    std::string url;              // with its query
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};
struct HttpAnswer {
    int status = 0;
    std::string body;
};

inline constexpr std::int64_t connect_timeout_ms = 5'000, answer_timeout_ms = 60'000;
inline constexpr std::size_t largest_answer_bytes = 64 * 1024 * 1024;

// Sent once: no redirect, no retry. Throws Failure with one clear line when there is no answer.
HttpAnswer send(const HttpRequest& request);

}  // namespace openrd
