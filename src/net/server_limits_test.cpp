// What the server refuses, and whom it cuts.
#include "net/testing_server.hpp"

#include <sys/resource.h>
#include <unistd.h>

namespace openrd::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class ServerLimits : public ServerTest {
  protected:
    ServerLimits() {
        settings.http.target_bytes = 2000;
        settings.http.header_bytes = 4000;
        settings.http.body_bytes = 10'000;
    }
    void expect_refused(int status, std::string_view bytes) {
        auto one = client();
        one.send(bytes);
        const auto answer = one.read_to_end();
        EXPECT_EQ(status_of(answer), status) << testing::PrintToString(bytes.substr(0, 200));
        EXPECT_THAT(answer, HasSubstr("\r\nconnection: close\r\n"));
        EXPECT_EQ(answer.find("HTTP/1.1 ", 1), std::string::npos) << "only one answer: " << answer;
    }
};

TEST_F(ServerLimits, OfSizeRefuse) {
    start();
    const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
    expect_refused(414, "GET /" + std::string(2000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n");
    expect_refused(414, "GET /" + std::string(500'000, 'a'));
    expect_refused(431, "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(4000, 'a') + "\r\n\r\n");
    expect_refused(431, "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(500'000, 'a'));
    std::string flood = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 10'000; ++i) flood += "a:b\r\n";
    expect_refused(431, flood + "\r\n");
    expect_refused(413, post + "Content-Length: 10001\r\n\r\n");
    expect_refused(413, post + "Content-Length: 1000000\r\n\r\n" + std::string(1'000'000, 'x'));
    expect_refused(413, post + "Content-Length: 99999999999999999999999\r\n\r\n");
    expect_refused(413, post + "Transfer-Encoding: chunked\r\n\r\n2711\r\n");
    std::string chunks;
    for (int i = 0; i < 1001; ++i) chunks += "a\r\n0123456789\r\n";
    expect_refused(413, post + "Transfer-Encoding: chunked\r\n\r\n" + chunks);
    expect_refused(431, post + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(5000, 'a'));
    EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerLimits, LetThroughWhatIsJustWithinThem) {
    start();
    auto one = client();
    one.send("GET /" + std::string(1999, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(status_of(one.read_answer()), 200);
    one.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n" + std::string(10'000, 'x'));
    EXPECT_EQ(status_of(one.read_answer()), 200);
    one.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2710\r\n" + std::string(10'000, 'x') + "\r\n0\r\n\r\n");
    EXPECT_EQ(status_of(one.read_answer()), 200);
}

// Behind each of these a second request is hidden: it must not be handled, and the connection must close.
TEST_F(ServerLimits, LetNoRequestHideInAnother) {
    start();
    const std::string hidden = "GET /hidden HTTP/1.1\r\nHost: h\r\n\r\n", post = "POST / HTTP/1.1\r\nHost: h\r\n";
    for (const std::string& before : {
             post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             post + "Content-Length: 0\r\nContent-Length: 33\r\n\r\n",
             post + "Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
             post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
             post + "Transfer-Encoding: chunked\r\nTransfer-encoding: x\r\n\r\n0\r\n\r\n",
             post + "X: y\r\n\tz\r\n\r\n",
             post + "X: y\n\r\n",
             post + "Transfer-Encoding: chunked\r\n\r\n0\n\n",
             post + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
             std::string("GET / HTTP/1.1\r\n\r\n"),
             std::string("GET / HTTP/1.1\nHost: h\n\n"),
             std::string("GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
             std::string("GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
             std::string("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n"),
             std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
             std::string("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 11),
         }) {
        expect_refused(400, before + hidden);
    }
    EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerLimits, RefuseARequestThatWasCutOff) {
    start();
    for (const std::string& bytes : {plain_get.substr(0, 20), std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhell"),
                                     std::string("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")}) {
        auto one = client();
        one.send(bytes);
        one.finish_sending();
        EXPECT_EQ(status_of(one.read_to_end()), 400) << bytes;
    }
    EXPECT_EQ(handler.handled, 0);
    wait_for_connections(0);
}

TEST_F(ServerLimits, RefuseTheNextRequestAfterAGoodOne) {
    start();
    auto one = client();
    one.send(plain_get + "broken\r\n\r\n");
    EXPECT_EQ(status_of(one.read_answer()), 200);
    EXPECT_EQ(status_of(one.read_to_end()), 400);
}

TEST_F(ServerLimits, NameTheHostThatWasAsked) {
    start();
    EXPECT_THAT(exchange("POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 10001\r\n\r\n"), HasSubstr("example.com"));
    EXPECT_THAT(exchange("HEAD / HTTP/1.1\r\nHost: example.com\r\nContent-Length: 10001\r\n\r\n"), EndsWith("\r\n\r\n"));
}

TEST_F(ServerLimits, OfTimeCutASlowHead) {
    settings.http.header_time_ms = 1000;
    start();
    auto silent = client(), begun = client(), second = client();
    begun.send(plain_get.substr(0, 20));
    second.send(plain_get);
    EXPECT_EQ(status_of(second.read_answer()), 200);
    second.send("G");
    for (auto* one : {&silent, &begun, &second}) EXPECT_EQ(status_of(one->read_to_end()), 408);
    // One that sends a byte now and then is no faster.
    auto trickling = client();
    for (std::size_t i = 0; trickling.send(i < plain_get.size() - 4 ? plain_get.substr(i, 1) : "x"); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(handler.handled, 1);
}

TEST_F(ServerLimits, OfTimeCutASlowBody) {
    settings.http.body_time_ms = 200;
    start();
    for (const std::string body : {"Content-Length: 5\r\n\r\nhell", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"}) {
        auto one = client();
        one.send("POST / HTTP/1.1\r\nHost: h\r\n" + body);
        auto answer = one.read_to_end();
        if (answer.starts_with("HTTP/1.1 100 ")) answer = body_of(answer);
        EXPECT_EQ(status_of(answer), 408) << body;
    }
    EXPECT_EQ(handler.handled, 0);
}

TEST_F(ServerLimits, OfTimeCloseIdleConnectionsSilently) {
    settings.http.idle_time_ms = 200;
    start();
    auto one = client();
    one.send(plain_get);
    EXPECT_EQ(status_of(one.read_answer()), 200);
    EXPECT_EQ(one.read_to_end(), "");
    wait_for_connections(0);
}

TEST_F(ServerLimits, OfTimeCutAClientThatDoesNotRead) {
    settings.http.write_time_ms = 200;
    handler.on_request([](const pipeline::Request&, pipeline::Done done) {
        pipeline::Response response;
        response.body.assign(16 * 1024 * 1024, 'z');
        done(std::move(response));
    });
    start();
    auto one = client(4096);
    one.send(plain_get);
    EXPECT_EQ(status_of(one.read_head()), 200);
    wait_for_connections(0);
}

TEST_F(ServerLimits, OfTimeDoNotHoldForTheHandler) {
    settings.http.header_time_ms = 1000;
    settings.http.body_time_ms = settings.http.idle_time_ms = settings.http.write_time_ms = 20;
    std::thread later;
    handler.on_request([&](const pipeline::Request& request, pipeline::Done done) {
        later = std::thread([&request, done = std::move(done)] {
            std::this_thread::sleep_for(std::chrono::milliseconds(1300));
            done(Echo::echo(request));
        });
    });
    start();
    EXPECT_EQ(body_of(exchange(closing_get)), "GET /a?b 2 127.0.0.1 ");
    later.join();
}

TEST_F(ServerLimits, OfConnectionsRefuseOneTooMany) {
    settings.http.connections = 3;
    start();
    std::vector<Client> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(client());
        clients.back().send(plain_get);
        EXPECT_EQ(status_of(clients.back().read_answer()), 200);
    }
    for (int i = 0; i < 3; ++i) EXPECT_EQ(status_of(exchange(plain_get)), 503);
    clients.pop_back();
    wait_for_connections(2);
    EXPECT_EQ(status_of(exchange(closing_get)), 200);
    for (auto& one : clients) {
        one.send(plain_get);
        EXPECT_EQ(status_of(one.read_answer()), 200);
    }
}

TEST_F(ServerLimits, OfConnectionsCloseAFloodWithoutAWord) {
    settings.http.connections = 1;
    settings.threads = 1;
    start();
    auto first = client();
    first.send(plain_get);
    first.read_answer();
    std::vector<Client> flood;
    for (int i = 0; i < 300; ++i) flood.push_back(client());
    int refused = 0, silent = 0;
    for (auto& one : flood) {
        const auto answer = one.read_to_end();
        answer.empty() ? ++silent : ++refused;
        if (!answer.empty()) { EXPECT_EQ(status_of(answer), 503); }
    }
    EXPECT_EQ(refused + silent, 300);
    EXPECT_GT(refused, 0);
    first.send(closing_get);
    EXPECT_EQ(status_of(first.read_to_end()), 200);
}

TEST_F(ServerLimits, OfTheProcessMakeAcceptingRestAndNotEnd) {
    settings.threads = 1;
    start();
    exchange(closing_get);
    wait_for_connections(0);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const int next = ::dup(0);
    ASSERT_GE(next, 0);
    ::close(next);
    const rlimit tight{.rlim_cur = static_cast<rlim_t>(next) + 1, .rlim_max = before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
    auto one = client();  // takes the last descriptor: the server has none for its side
    one.send(closing_get);
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    EXPECT_EQ(server->connections(), 0U);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(status_of(one.read_to_end()), 200);
}

}  // namespace
}  // namespace openrd::net
