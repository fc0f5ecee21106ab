#include "base/network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace openrd::base {
namespace {

constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned mapped_bits = 96;

bool same_front(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, unsigned bits) {
    if (!std::equal(a.begin(), a.begin() + bits / 8, b.begin())) return false;
    if (bits % 8 == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xFF00u >> (bits % 8));
    return (a[bits / 8] & mask) == (b[bits / 8] & mask);
}

}  // namespace

std::optional<Address> Address::parse(std::string_view text) {
    const std::string copy(text);
    if (copy.find('\0') != std::string::npos) return {};
    Address address;
    if (inet_pton(AF_INET, copy.c_str(), address.bytes_.data()) == 1) {
        address.v4_ = true;
        return address;
    }
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes_.data()) != 1) return {};
    if (!std::equal(mapped.begin(), mapped.end(), address.bytes_.begin())) return address;
    Address v4;
    v4.v4_ = true;
    std::copy(address.bytes_.begin() + mapped.size(), address.bytes_.end(), v4.bytes_.begin());
    return v4;
}

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    const char* written = inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
    return written ? written : "";
}

bool Address::loopback() const {
    if (v4_) return bytes_[0] == 127;
    return bytes_[15] == 1 && std::all_of(bytes_.begin(), bytes_.end() - 1, [](std::uint8_t b) { return b == 0; });
}

std::optional<Network> Network::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address) return {};
    Network network;
    network.address_ = *address;
    network.prefix_ = address->bits();
    if (slash != text.npos) {
        const auto digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.prefix_);
        if (error != std::errc() || end != digits.data() + digits.size() || digits.starts_with('0')) return {};
        // ::ffff:10.0.0.0/104 is 10.0.0.0/8.
        if (address->v4_ && text.substr(0, slash).find(':') != text.npos) {
            if (network.prefix_ <= mapped_bits) return {};
            network.prefix_ -= mapped_bits;
        }
    }
    if (network.prefix_ == 0 || network.prefix_ > address->bits()) return {};
    for (unsigned bit = network.prefix_; bit < address->bits(); ++bit)
        if (((address->bytes_[bit / 8] >> (7 - bit % 8)) & 1) != 0) return {};
    return network;
}

bool Network::contains(const Address& address) const { return address.v4_ == address_.v4_ && same_front(address.bytes_, address_.bytes_, prefix_); }

std::string Network::text() const {
    if (prefix_ == address_.bits()) return address_.text();
    return address_.text() + "/" + std::to_string(prefix_);
}

}  // namespace openrd::base
