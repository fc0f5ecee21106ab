#include "openrd/endpoint.hpp"

#include <gtest/gtest.h>

namespace openrd {
namespace {

TEST(Listen, IsAnAddressAndAPort) {
    const std::pair<const char*, const char*> good[] = {
        {"127.0.0.1:8080", "127.0.0.1:8080"}, {"localhost:80", "127.0.0.1:80"}, {"[::1]:0", "[::1]:0"}, {"0.0.0.0:65535", "0.0.0.0:65535"}};
    for (const auto& [text, address] : good) {
        const auto listen = parse_listen(text);
        ASSERT_TRUE(listen) << text;
        EXPECT_EQ(written(*listen), address);
    }
    for (const char* text : {"", ":", "127.0.0.1", "127.0.0.1:", ":8080", "8080", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[::1]", "[::1]80",
                             "[127.0.0.1]:80", "example.com:80", "127.0.0.1:80:80", "http://127.0.0.1:80"})
        EXPECT_FALSE(parse_listen(text)) << text;
}

TEST(Listen, KnowsWhatOthersCannotReach) {
    for (const char* address : {"127.0.0.1", "127.255.0.9", "::1"}) EXPECT_TRUE(is_loopback(address)) << address;
    for (const char* address : {"0.0.0.0", "128.0.0.1", "10.0.0.1", "::", "fd00::1", "localhost", ""}) EXPECT_FALSE(is_loopback(address)) << address;
}

TEST(EndpointText, IsAUrlOrAHost) {
    const std::tuple<const char*, const char*, bool> good[] = {{"http://127.0.0.1:8080", "http://127.0.0.1:8080/", true},
                                                               {"HTTP://localhost:8080/", "http://localhost:8080/", true},
                                                               {"127.0.0.1:8080", "http://127.0.0.1:8080/", true},
                                                               {"[::1]:8080", "http://[::1]:8080/", true},
                                                               {"rd.example.com", "https://rd.example.com/", false},
                                                               {"https://rd.example.com:443", "https://rd.example.com/", false},
                                                               {"http://rd.example.com:80/", "http://rd.example.com/", false},
                                                               {"https://127.0.0.1:8443", "https://127.0.0.1:8443/", true},
                                                               {"a.localhost", "http://a.localhost/", true}};
    for (const auto& [text, url, loopback] : good) {
        const auto endpoint = parse_endpoint(text);
        ASSERT_TRUE(endpoint) << text;
        EXPECT_EQ(endpoint->url(), url);
        EXPECT_EQ(endpoint->loopback, loopback) << text;
    }
}

TEST(EndpointText, IsNothingElse) {
    for (const char* text : {"", "http://", "ftp://127.0.0.1", "http://user@host", "http://host/path", "host:port", "http://ho st", "http://[::1", "://host", "host\nheader",
                             "https://rd.example.com:99999"})
        EXPECT_FALSE(parse_endpoint(text)) << text;
}

TEST(EndpointText, HasTheHostAsClientsWriteIt) {
    EXPECT_EQ(parse_endpoint("http://127.0.0.1:8080")->authority(), "127.0.0.1:8080");
    EXPECT_EQ(parse_endpoint("https://rd.example.com:443")->authority(), "rd.example.com");
    EXPECT_EQ(parse_endpoint("[::1]:80")->authority(), "[::1]");
}

}  // namespace
}  // namespace openrd
