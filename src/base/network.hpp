#pragma once
// IP addresses and networks, as settings and headers write them.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::base {

// An IPv4 or IPv6 address. An IPv4 address in IPv6's clothes (::ffff:192.0.2.1) is the IPv4 address: nobody passes a list of
// networks by writing his address otherwise.
class Address {
  public:
    // "192.0.2.1", "2001:db8::1". Nothing for anything else: names, ports, brackets, zones, leading zeros.
    static std::optional<Address> parse(std::string_view text);

    std::string text() const;
    bool loopback() const;  // 127.0.0.0/8, ::1
    unsigned bits() const { return v4_ ? 32 : 128; }

    friend bool operator==(const Address&, const Address&) = default;

  private:
    friend class Network;
    bool v4_ = false;
    std::array<std::uint8_t, 16> bytes_{};  // IPv4: the first four
};

// "10.0.0.0/8", "2001:db8::/32", or one address.
class Network {
  public:
    // Nothing when bits behind the prefix are set (which of the two was meant?), and for /0, which is everybody.
    static std::optional<Network> parse(std::string_view text);

    bool contains(const Address& address) const;
    std::string text() const;

    friend bool operator==(const Network&, const Network&) = default;

  private:
    Address address_;
    unsigned prefix_ = 0;
};

}  // namespace openrd::base
