#include "base/network.hpp"

#include <gtest/gtest.h>

namespace openrd::base {
namespace {

std::string read(std::string_view text) {
    const auto address = Address::parse(text);
    return address ? address->text() : "none";
}
bool holds(std::string_view network, std::string_view address) {
    const auto n = Network::parse(network);
    const auto a = Address::parse(address);
    EXPECT_TRUE(n) << network;
    EXPECT_TRUE(a) << address;
    return n && a && n->contains(*a);
}

TEST(Address, IsReadInItsStrictForm) {
    EXPECT_EQ(read("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(read("2001:DB8::0:1"), "2001:db8::1");
    for (const char* text : {"", "192.0.2", "192.0.2.256", "0300.0.2.1", "192.0.2.1 ", "[::1]", "::1%lo", "localhost", "192.0.2.1:80"}) EXPECT_EQ(read(text), "none") << text;
    EXPECT_EQ(read(std::string_view("192.0.2.1\0", 10)), "none");
}

TEST(Address, OfIPv4InIPv6ClothesIsTheIPv4Address) {
    EXPECT_EQ(read("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(read("::ffff:c000:201"), "192.0.2.1");
    EXPECT_TRUE(holds("192.0.2.0/24", "::ffff:192.0.2.1"));
    EXPECT_FALSE(holds("192.0.2.0/24", "::192.0.2.1"));
}

TEST(Address, KnowsLoopback) {
    for (const char* text : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(Address::parse(text)->loopback()) << text;
    for (const char* text : {"128.0.0.1", "::", "::2", "0.0.0.0"}) EXPECT_FALSE(Address::parse(text)->loopback()) << text;
}

TEST(Network, ContainsWhatSharesItsFront) {
    EXPECT_TRUE(holds("10.0.0.0/8", "10.255.1.2"));
    EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
    EXPECT_TRUE(holds("172.16.0.0/12", "172.31.255.255"));
    EXPECT_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
    EXPECT_TRUE(holds("192.0.2.7", "192.0.2.7"));
    EXPECT_FALSE(holds("192.0.2.7", "192.0.2.6"));
    EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
    EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
    EXPECT_TRUE(holds("::ffff:10.0.0.0/104", "10.1.2.3"));
}

TEST(Network, OfOneFamilyDoesNotContainTheOther) {
    EXPECT_FALSE(holds("::/1", "10.0.0.1"));
    EXPECT_FALSE(holds("10.0.0.0/8", "a00::1"));
}

TEST(Network, IsNotReadWhenItIsUnclear) {
    for (const char* text :
         {"", "10.0.0.1/8", "10.0.0.0/0", "::/0", "10.0.0.0/33", "::/129", "10.0.0.0/08", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "10/8", "::ffff:0.0.0.0/96"})
        EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Network, IsWrittenAsItIsRead) {
    for (const char* text : {"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"}) EXPECT_EQ(Network::parse(text)->text(), text);
}

}  // namespace
}  // namespace openrd::base
