#pragma once
// What a listener gives and what it gets back. Nothing here knows sockets.
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::pipeline {

struct Header {
    std::string_view name;  // as sent
    std::string_view value;
};

// One request, fully read and de-chunked. The views live until `done` was called.
struct Request {
    std::string_view method;
    std::string_view target;  // as sent: path and query
    std::string_view body;
    std::span<const Header> headers;
    std::string_view source_address;  // of the peer, without its port
    bool tls = false;

    // The first header of that name, compared without regard to case; empty when there is none.
    std::string_view header(std::string_view name) const;
};

struct Response {
    int status = 200;
    std::string_view content_type = "application/json;charset=utf-8";  // of static life
    std::string body;
    std::string request_id;                                    // goes out as x-acs-request-id; empty: no such header
    std::vector<std::pair<std::string, std::string>> headers;  // others
    bool close = false;                                        // the connection after this answer
    bool cors = true;                                          // access-control-allow-origin: * (the API, never the control endpoints)
};

// Called exactly once, on any thread.
using Done = std::function<void(Response)>;

class Handler {
  public:
    virtual ~Handler() = default;
    virtual void handle(const Request& request, Done done) = 0;
};

// The Host that a client used, without its port: the HostId of an error (protocol.md D.4).
std::string_view host_without_port(std::string_view host);

// The problems that the listener itself answers, before there is a request: too large, too slow, not HTTP.
enum class Malformed : std::uint8_t { bad_request, target_too_long, headers_too_large, body_too_large, too_slow, overloaded };
Response refusal(Malformed what, std::string_view host);

}  // namespace openrd::pipeline
