#pragma once
// Addresses as people write them on the command line.
#include "net/server.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace openrd {

// "127.0.0.1:8080", "[::1]:0", "localhost:8080": an IP address (or localhost) and a port, both given.
std::optional<net::Listen> parse_listen(std::string_view text);
// 127.0.0.0/8 and ::1.
bool is_loopback(std::string_view address);
// 127.0.0.1:8080, [::1]:8080
std::string written(const net::Listen& listen);

// Where `openrd call` sends to.
struct Endpoint {
    std::string scheme = "http";
    std::string host;  // without brackets
    std::string port;  // empty: the scheme's own
    bool loopback = false;

    std::string authority() const;  // host and port, as in the Host header
    std::string url() const;        // http://127.0.0.1:8080/
};
// "http://127.0.0.1:8080", "https://rd.example.com/", or without a scheme: then http on a loopback address, otherwise https.
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace openrd
