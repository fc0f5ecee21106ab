#include "delivery/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>

namespace openrd::delivery {
namespace {

using Bytes16 = std::array<unsigned char, 16>;

struct Net4 {
    std::uint32_t address;
    int bits;
};

constexpr std::uint32_t net(std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0) { return a << 24 | b << 16 | c << 8; }

// RFC 6890 and its registry; 100.64/10 holds a metadata service too (100.100.100.200).
constexpr Net4 not_public[] = {
    {net(0), 8},          {net(10), 8},           {net(100, 64), 10},  {net(127), 8},      {net(169, 254), 16},     {net(172, 16), 12},     {net(192, 0, 0), 24},
    {net(192, 0, 2), 24}, {net(192, 88, 99), 24}, {net(192, 168), 16}, {net(198, 18), 15}, {net(198, 51, 100), 24}, {net(203, 0, 113), 24}, {net(224), 4},
    {net(240), 4}};

std::uint32_t number(std::span<const unsigned char, 4> b) { return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3]; }

bool public4(std::uint32_t address) {
    return std::ranges::none_of(not_public, [&](const Net4& n) { return (address ^ n.address) >> (32 - n.bits) == 0; });
}

bool public6(const Bytes16& a) {
    constexpr Bytes16 nat64{0x00, 0x64, 0xff, 0x9b};
    if (std::equal(a.begin(), a.begin() + 12, nat64.begin())) return public4(number(std::span(a).last<4>()));
    if ((a[0] & 0xE0) != 0x20) return false;                                         // only 2000::/3 is given out
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 0x02) return false;                   // 2001::/23: Teredo and other protocols
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8) return false;  // documentation
    if (a[0] == 0x20 && a[1] == 0x02) return false;                                  // 6to4
    return !(a[0] == 0x3f && a[1] == 0xff && a[2] < 0x10);                           // documentation
}

std::uint32_t ipv4_of(const sockaddr& address) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return ntohl(in.sin_addr.s_addr);
}

Bytes16 ipv6_of(const sockaddr& address) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    Bytes16 bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    return bytes;
}

}  // namespace

bool is_loopback(const sockaddr& address) {
    if (address.sa_family == AF_INET) return ipv4_of(address) >> 24 == 127;
    constexpr Bytes16 one{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return address.sa_family == AF_INET6 && ipv6_of(address) == one;
}

bool is_public(const sockaddr& address) {
    if (address.sa_family == AF_INET) return public4(ipv4_of(address));
    return address.sa_family == AF_INET6 && public6(ipv6_of(address));
}

}  // namespace openrd::delivery
