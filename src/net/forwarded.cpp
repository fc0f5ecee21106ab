#include "net/forwarded.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <ranges>

namespace openrd::net {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

// Some proxies write the port as well: 192.0.2.1:5000, [2001:db8::1]:5000.
std::string_view without_port(std::string_view text) {
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        return end == text.npos ? text : text.substr(1, end - 1);
    }
    const auto colon = text.find(':');
    return colon != text.npos && text.find(':', colon + 1) == text.npos ? text.substr(0, colon) : text;
}

// From the right, over all headers; `look` says whether to go on.
template <class Look> void each_from_the_right(std::span<const pipeline::Header> headers, Look look) {
    for (const auto& header : std::views::reverse(headers)) {
        if (!base::equal_ignoring_case(header.name, "X-Forwarded-For")) continue;
        auto rest = header.value;
        while (true) {
            const auto comma = rest.rfind(',');
            if (!look(trimmed(comma == rest.npos ? rest : rest.substr(comma + 1)))) return;
            if (comma == rest.npos) break;
            rest = rest.substr(0, comma);
        }
    }
}

}  // namespace

bool is_trusted(const base::Address& address, std::span<const base::Network> proxies) {
    return std::ranges::any_of(proxies, [&](const base::Network& network) { return network.contains(address); });
}

Origin forwarded_origin(const base::Address& peer, bool connection_tls, std::span<const pipeline::Header> headers, std::span<const base::Network> proxies) {
    auto client = peer;
    each_from_the_right(headers, [&](std::string_view text) {
        const auto address = base::Address::parse(without_port(text));
        if (!address) return false;
        client = *address;
        return is_trusted(client, proxies);
    });
    Origin origin{.address = client.text(), .tls = connection_tls};
    bool said = false;
    for (const auto& header : headers) {
        if (!base::equal_ignoring_case(header.name, "X-Forwarded-Proto")) continue;
        origin.tls = !std::exchange(said, true) && base::equal_ignoring_case(trimmed(header.value), "https");
    }
    return origin;
}

}  // namespace openrd::net
