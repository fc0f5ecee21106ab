#pragma once
// One HTTP request to a gateway, sent once: libcurl 7.88 repeats a POST on its own when a kept connection dies, so every request has
// a connection of its own (verification.md 7.4). What is known afterwards is sorted as evidence, in the terms of 7.1.
#include "base/clock.hpp"
#include "base/secret.hpp"
#include "delivery/channel.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::delivery {

struct HttpOptions {
    std::int64_t connect_ms = 3 * base::second_ms, total_ms = 10 * base::second_ms;
    std::string ca_file = {};  // of certificates that are trusted instead of the system's
    std::string proxy = {};    // a URL; empty: none, whatever the environment says
    // For an address that somebody wrote down who should not reach our own network: hosts of the Internet only. Without it any host.
    bool public_only = false;
    bool loopback_too = false;  // with public_only: for tests
};

struct HttpRequest {
    std::string method = "POST";  // or GET
    std::string url;              // https; http only reaches loopback
    std::vector<std::pair<std::string, base::Secret>> headers;
    base::Secret body;
};

inline constexpr std::size_t largest_reply_bytes = 64 * 1024;

enum class Evidence : std::uint8_t {
    nothing_sent,  // no connection, no TLS, or stopped before the request
    refused,       // nothing sent: the address is one that may not be reached, or the URL is none
    no_answer,     // the request went out, wholly or in part, and no whole answer came
    answered,
};

struct HttpReply {
    Evidence evidence = Evidence::no_answer;
    std::string why;  // a word for the log when there is no answer: "connect", "timeout", ...
    int status = 0;
    std::string body;
    std::optional<std::int64_t> retry_after_ms;
};

// What a reply means whoever gave it: no answer, 3xx, 429 and 5xx. Nothing: 2xx and 4xx, which the channel reads.
std::optional<SendResult> classified(const HttpReply& reply);

class HttpClient {
  public:
    explicit HttpClient(HttpOptions options = {}) : options_(std::move(options)) {}
    // Does not throw for what happens on the way. `stop` ends it while nothing has been sent.
    HttpReply exchange(const HttpRequest& request, const std::stop_token& stop = {}) const;

  private:
    HttpOptions options_;
};

}  // namespace openrd::delivery
