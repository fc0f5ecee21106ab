#include "sandbox/guard.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>

#include <algorithm>

namespace openrd::sandbox {
namespace {

struct Address {
    int family = 0;  // 0: none
    unsigned char bytes[16] = {};

    bool loopback() const {
        if (family == AF_INET) return bytes[0] == 127;
        return family == AF_INET6 && std::all_of(bytes, bytes + 15, [](unsigned char b) { return b == 0; }) && bytes[15] == 1;
    }
    bool unspecified() const {
        return family != 0 && std::all_of(std::begin(bytes), std::end(bytes), [](unsigned char b) { return b == 0; });
    }
    bool same_as(const Address& other) const { return family == other.family && std::equal(std::begin(bytes), std::end(bytes), std::begin(other.bytes)); }
};

// In the strict form only: what a browser writes.
Address parse_address(std::string_view text) {
    Address address;
    const std::string copy(text);
    if (inet_pton(AF_INET, copy.c_str(), address.bytes) == 1) address.family = AF_INET;
    else if (inet_pton(AF_INET6, copy.c_str(), address.bytes) == 1) address.family = AF_INET6;
    return address;
}

// host or host:port or [v6]:port without the port; empty when it is neither.
std::string_view without_port(std::string_view host) {
    const auto all_digits = [](std::string_view text) { return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }); };
    if (host.starts_with('[')) {
        const auto end = host.find(']');
        if (end == host.npos) return {};
        const auto rest = host.substr(end + 1);
        if (!rest.empty() && (rest.front() != ':' || !all_digits(rest.substr(1)))) return {};
        return host.substr(1, end - 1);
    }
    const auto colon = host.find(':');
    if (colon == host.npos) return host;
    return all_digits(host.substr(colon + 1)) ? host.substr(0, colon) : std::string_view();
}

bool loopback_name(std::string_view name) {
    const auto lower = base::ascii_lower(name);
    return lower == "localhost" || lower.ends_with(".localhost");
}

bool own_host(std::string_view host, std::string_view listen_address) {
    const auto name = without_port(host);
    if (name.empty()) return false;
    if (loopback_name(name)) return true;
    const auto address = parse_address(name);
    if (address.family == 0) return false;
    const auto listening = parse_address(listen_address);
    return address.loopback() || listening.unspecified() || address.same_as(listening);
}

// The page came from this very server.
bool own_origin(std::string_view origin, std::string_view host) {
    for (const std::string_view scheme : {"http://", "https://"})
        if (origin.starts_with(scheme)) return base::equal_ignoring_case(origin.substr(scheme.size()), host);
    return false;
}

}  // namespace

std::string refuse_foreign(const pipeline::Request& request, std::string_view listen_address) {
    const auto host = request.header("Host");
    if (!own_host(host, listen_address)) return "The Host is neither a loopback name nor the address that the server listens on.";
    for (const auto& header : request.headers) {
        if (base::equal_ignoring_case(header.name, "Host") && header.value != host) return "The request has two Hosts.";
        if (base::equal_ignoring_case(header.name, "Origin") && !own_origin(header.value, host)) return "The request comes from a page of another origin.";
        // "none" is a person's own doing, such as an address typed in.
        if (base::equal_ignoring_case(header.name, "Sec-Fetch-Site") && header.value != "same-origin" && header.value != "none")
            return "The request comes from a page of another site.";
    }
    return {};
}

}  // namespace openrd::sandbox
