#include "net/forwarded.hpp"

#include "net/testing_server.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace openrd::net {
namespace {

std::vector<base::Network> networks(std::initializer_list<const char*> texts) {
    std::vector<base::Network> all;
    for (const char* text : texts) all.push_back(*base::Network::parse(text));
    return all;
}
const auto proxies = networks({"10.0.0.0/8", "2001:db8::/32"});

std::string address(std::vector<pipeline::Header> headers) { return forwarded_origin(*base::Address::parse("10.0.0.1"), false, headers, proxies).address; }
bool tls(std::vector<pipeline::Header> headers, bool connection = false) { return forwarded_origin(*base::Address::parse("10.0.0.1"), connection, headers, proxies).tls; }

TEST(ForwardedAddress, IsTheRightmostThatNoProxyHas) {
    EXPECT_EQ(address({}), "10.0.0.1");
    EXPECT_EQ(address({{"X-Forwarded-For", "192.0.2.1"}}), "192.0.2.1");
    EXPECT_EQ(address({{"x-forwarded-for", "192.0.2.1, 10.2.3.4"}}), "192.0.2.1");
    EXPECT_EQ(address({{"X-Forwarded-For", "10.1.1.1 , 10.2.2.2"}}), "10.1.1.1") << "all of them are proxies";
}

TEST(ForwardedAddress, OfASpooferIsTheOneThatTheProxySaw) {
    EXPECT_EQ(address({{"X-Forwarded-For", "203.0.113.9, 192.0.2.1"}}), "192.0.2.1") << "the client wrote the left part";
    EXPECT_EQ(address({{"X-Forwarded-For", "203.0.113.9"}, {"X-Forwarded-For", "192.0.2.1"}}), "192.0.2.1");
    EXPECT_EQ(address({{"X-Forwarded-For", "203.0.113.9, 192.0.2.1, 10.7.7.7"}, {"Host", "h"}, {"X-Forwarded-For", "2001:db8::7"}}), "192.0.2.1");
}

TEST(ForwardedAddress, StopsAtWhatIsNoAddress) {
    EXPECT_EQ(address({{"X-Forwarded-For", "192.0.2.1, unknown, 10.2.2.2"}}), "10.2.2.2");
    EXPECT_EQ(address({{"X-Forwarded-For", ""}}), "10.0.0.1");
    EXPECT_EQ(address({{"X-Forwarded-For", "192.0.2.1,"}}), "10.0.0.1");
    EXPECT_EQ(address({{"X-Forwarded-For", "192.0.2.1, [::1"}}), "10.0.0.1");
}

TEST(ForwardedAddress, ComesInSeveralSpellings) {
    EXPECT_EQ(address({{"X-Forwarded-For", "192.0.2.1:4711"}}), "192.0.2.1");
    EXPECT_EQ(address({{"X-Forwarded-For", "2001:DB9::1"}}), "2001:db9::1");
    EXPECT_EQ(address({{"X-Forwarded-For", "[2001:db9::1]:4711"}}), "2001:db9::1");
    EXPECT_EQ(address({{"X-Forwarded-For", "::ffff:192.0.2.1"}}), "192.0.2.1");
    EXPECT_EQ(address({{"X-Forwarded-For", "192.0.2.1, ::ffff:10.9.9.9"}}), "192.0.2.1") << "a proxy in IPv6's clothes is a proxy";
}

TEST(ForwardedProto, IsBelievedOnceAndOnlyAsHttps) {
    EXPECT_FALSE(tls({}));
    EXPECT_TRUE(tls({}, true));
    EXPECT_TRUE(tls({{"X-Forwarded-Proto", "https"}}));
    EXPECT_TRUE(tls({{"x-forwarded-proto", "HTTPS"}}));
    EXPECT_FALSE(tls({{"X-Forwarded-Proto", "http"}}, true)) << "the proxy knows how the client came";
    EXPECT_FALSE(tls({{"X-Forwarded-Proto", "https,http"}}));
    EXPECT_FALSE(tls({{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "https"}})) << "one of them was the client's";
}

class BehindAProxy : public ServerTest {
  protected:
    std::string seen(const std::string& headers) { return body_of(exchange("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n" + headers + "\r\n")); }
    void tell_tls() {
        handler.on_request([](const pipeline::Request& request, const pipeline::Done& done) {
            pipeline::Response response;
            response.body = std::string(request.source_address) + (request.tls ? " tls" : " plain");
            done(std::move(response));
        });
    }
};

TEST_F(BehindAProxy, TheServerBelievesTheHeadersOfADeclaredNetwork) {
    trusted = networks({"127.0.0.0/8"});
    tell_tls();
    start();
    EXPECT_EQ(seen("X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"), "192.0.2.1 tls");
    EXPECT_EQ(seen(""), "127.0.0.1 plain");
}

TEST_F(BehindAProxy, TheServerBelievesNobodyElse) {
    trusted = networks({"10.0.0.0/8"});
    tell_tls();
    start();
    EXPECT_EQ(seen("X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"), "127.0.0.1 plain");
}

TEST_F(BehindAProxy, EachRequestOfAConnectionHasItsOwnOrigin) {
    trusted = networks({"127.0.0.1"});
    tell_tls();
    start();
    auto one = client();
    one.send("GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n\r\n");
    EXPECT_EQ(body_of(one.read_answer()), "192.0.2.1 tls");
    one.send("GET /a HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.2\r\n\r\n");
    EXPECT_EQ(body_of(one.read_answer()), "192.0.2.2 plain");
    one.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(body_of(one.read_answer()), "127.0.0.1 plain");
}

}  // namespace
}  // namespace openrd::net
