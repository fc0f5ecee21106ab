#include "delivery/address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <string>

namespace openrd::delivery {
namespace {

sockaddr_storage address(const std::string& text) {
    sockaddr_storage storage{};
    if (text.find(':') == std::string::npos) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        EXPECT_EQ(inet_pton(AF_INET, text.c_str(), &in.sin_addr), 1) << text;
        std::memcpy(&storage, &in, sizeof in);
    } else {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        EXPECT_EQ(inet_pton(AF_INET6, text.c_str(), &in.sin6_addr), 1) << text;
        std::memcpy(&storage, &in, sizeof in);
    }
    return storage;
}
bool public_one(const std::string& text) {
    const auto a = address(text);
    return is_public(reinterpret_cast<const sockaddr&>(a));
}
bool loopback(const std::string& text) {
    const auto a = address(text);
    return is_loopback(reinterpret_cast<const sockaddr&>(a));
}

TEST(Address, OfAHostOfTheInternetIsPublic) {
    for (const auto* text : {"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
                             "2606:4700::1111", "2a00:1450::1", "2001:200::1", "64:ff9b::808:808"})
        EXPECT_TRUE(public_one(text)) << text;
}

TEST(Address, OfThisMachineOrAPrivateNetworkOrMetadataIsNot) {
    for (const auto* text :
         {"0.0.0.0",     "0.1.2.3",   "10.0.0.1",    "100.64.0.1", "100.100.100.200", "127.0.0.1",    "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
          "192.0.0.192", "192.0.2.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",  "198.51.100.1", "203.0.113.7",     "224.0.0.1",       "240.0.0.1",  "255.255.255.255"})
        EXPECT_FALSE(public_one(text)) << text;
    for (const auto* text : {"::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1",
                             "2002:7f00:1::", "3fff::1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1"})
        EXPECT_FALSE(public_one(text)) << text;
}

TEST(Address, OfAnotherKindIsNeither) {
    sockaddr other{};
    other.sa_family = AF_UNIX;
    EXPECT_FALSE(is_public(other));
    EXPECT_FALSE(is_loopback(other));
}

TEST(Address, KnowsThisMachine) {
    EXPECT_TRUE(loopback("127.0.0.1"));
    EXPECT_TRUE(loopback("127.1.2.3"));
    EXPECT_TRUE(loopback("::1"));
    EXPECT_FALSE(loopback("128.0.0.1"));
    EXPECT_FALSE(loopback("::2"));
    EXPECT_FALSE(loopback("::ffff:127.0.0.1"));
}

}  // namespace
}  // namespace openrd::delivery
