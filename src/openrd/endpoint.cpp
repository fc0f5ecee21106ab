#include "openrd/endpoint.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace openrd {
namespace {

bool is_v6(std::string_view text) {
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1;
}
bool is_v4(std::string_view text) {
    in_addr address{};
    return inet_pton(AF_INET, std::string(text).c_str(), &address) == 1;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size()) return {};
    return port;
}

struct HostAndPort {
    std::string_view host, port;
};
// host, host:port, [v6], [v6]:port
std::optional<HostAndPort> split(std::string_view text) {
    HostAndPort parts;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos) return {};
        parts.host = text.substr(1, end - 1);
        if (!is_v6(parts.host)) return {};
        text.remove_prefix(end + 1);
        if (!text.empty() && text.front() != ':') return {};
    } else {
        parts.host = text.substr(0, text.find(':'));
        text.remove_prefix(parts.host.size());
    }
    if (text.empty()) return parts;
    parts.port = text.substr(1);
    if (!parse_port(parts.port)) return {};
    return parts;
}

constexpr bool host_character(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; }

}  // namespace

std::optional<net::Listen> parse_listen(std::string_view text) {
    const auto parts = split(text);
    if (!parts || parts->port.empty()) return {};
    const std::string host(parts->host == "localhost" ? "127.0.0.1" : parts->host);
    if (!is_v4(host) && !(text.starts_with('[') && is_v6(host))) return {};
    return net::Listen{.address = host, .port = *parse_port(parts->port)};
}

bool is_loopback(std::string_view address) {
    in_addr v4{};
    if (inet_pton(AF_INET, std::string(address).c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
    in6_addr v6{};
    return inet_pton(AF_INET6, std::string(address).c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string written(const net::Listen& listen) {
    const bool v6 = listen.address.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", v6 ? "[" : "", listen.address, v6 ? "]" : "", listen.port);
}

std::string Endpoint::authority() const {
    const bool v6 = host.find(':') != std::string::npos;
    return fmt::format("{}{}{}{}{}", v6 ? "[" : "", host, v6 ? "]" : "", port.empty() ? "" : ":", port);
}

std::string Endpoint::url() const { return scheme + "://" + authority() + "/"; }

std::optional<Endpoint> parse_endpoint(std::string_view text) {
    Endpoint endpoint;
    endpoint.scheme.clear();
    if (const auto mark = text.find("://"); mark != text.npos) {
        endpoint.scheme = base::ascii_lower(text.substr(0, mark));
        if (endpoint.scheme != "http" && endpoint.scheme != "https") return {};
        text.remove_prefix(mark + 3);
    }
    if (text.ends_with('/')) text.remove_suffix(1);
    const auto parts = split(text);
    if (!parts || parts->host.empty()) return {};
    endpoint.host = parts->host;
    endpoint.port = parts->port;
    if (!is_v6(endpoint.host) && !std::ranges::all_of(endpoint.host, host_character)) return {};
    const auto lower = base::ascii_lower(endpoint.host);
    endpoint.loopback = lower == "localhost" || lower.ends_with(".localhost") || is_loopback(endpoint.host);
    if (endpoint.scheme.empty()) endpoint.scheme = endpoint.loopback ? "http" : "https";
    // As clients write it: no port that goes without saying.
    if ((endpoint.scheme == "http" && endpoint.port == "80") || (endpoint.scheme == "https" && endpoint.port == "443")) endpoint.port.clear();
    return endpoint;
}

}  // namespace openrd
