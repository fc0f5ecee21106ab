#include "net/server.hpp"

#include "net/testing_server.hpp"

#include <system_error>

namespace openrd::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(ServerTest, AnswersARequest) {
    start();
    auto one = client();
    one.send(plain_get);
    const auto answer = one.read_answer();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\ndate: "));
    EXPECT_THAT(answer, HasSubstr("\r\nconnection: keep-alive\r\nkeep-alive: timeout=75\r\n"));
    EXPECT_EQ(body_of(answer), "GET /a?b 1 127.0.0.1 ");
}

TEST_F(ServerTest, ReadsARequestInWhateverPiecesItComes) {
    start();
    const std::string request = "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", expected = "POST /x 2 127.0.0.1 hello";
    auto one = client();
    for (std::size_t first = 1; first < request.size(); ++first) {
        one.send(request.substr(0, first));
        std::this_thread::yield();
        one.send(request.substr(first));
        ASSERT_EQ(body_of(one.read_answer()), expected) << first;
    }
    for (const char c : request) one.send({&c, 1});
    EXPECT_EQ(body_of(one.read_answer()), expected);
}

TEST_F(ServerTest, ReadsChunkedBodies) {
    start();
    const std::string head = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    auto one = client();
    one.send(head + "5\r\nhello\r\n8;x=y\r\n, world!\r\n0\r\nTrailer: t\r\n\r\n");
    EXPECT_EQ(body_of(one.read_answer()), "POST /x 2 127.0.0.1 hello, world!");

    std::string body, chunked;
    for (int i = 0; i < 3000; ++i) {
        const auto part = std::to_string(i) + ',';
        body += part;
        chunked += "0" + std::to_string(part.size()) + "\r\n" + part + "\r\n";
    }
    one.send(head + chunked);
    one.send("0\r\n\r\n" + plain_get);
    EXPECT_EQ(body_of(one.read_answer()), "POST /x 2 127.0.0.1 " + body);
    EXPECT_EQ(body_of(one.read_answer()), "GET /a?b 1 127.0.0.1 ");
}

TEST_F(ServerTest, ReadsABodyAsLargeAsTheLimit) {
    start();
    const std::string body(settings.http.body_bytes, 'x');
    auto one = client();
    for (int i = 0; i < 2; ++i) {
        one.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
        one.send(body);
        EXPECT_EQ(body_of(one.read_answer()), "POST / 2 127.0.0.1 " + body);
    }
    one.send(plain_get);
    EXPECT_EQ(body_of(one.read_answer()), "GET /a?b 1 127.0.0.1 ");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
    start();
    std::string requests;
    for (int i = 0; i < 500; ++i) requests += "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    auto one = client();
    one.send(requests);
    for (int i = 0; i < 500; ++i) ASSERT_EQ(body_of(one.read_answer()), "POST /" + std::to_string(i) + " 2 127.0.0.1 abc");
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrderWhenTheHandlerTakesItsTime) {
    std::vector<std::thread> later;
    std::mutex mutex;
    handler.on_request([&](const pipeline::Request& request, pipeline::Done done) {
        const std::lock_guard lock(mutex);
        later.emplace_back([&request, done = std::move(done)] { done(Echo::echo(request)); });
    });
    start();
    auto one = client();
    std::string requests;
    for (int i = 0; i < 50; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
    one.send(requests);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(body_of(one.read_answer()), "GET /" + std::to_string(i) + " 1 127.0.0.1 ");
    for (auto& thread : later) thread.join();
}

TEST_F(ServerTest, ServesTenThousandRequestsOverOneConnection) {
    start();
    auto one = client();
    for (int i = 0; i < 10'000; ++i) {
        one.send(plain_get);
        ASSERT_EQ(status_of(one.read_answer()), 200);
    }
    EXPECT_EQ(handler.handled, 10'000);
}

TEST_F(ServerTest, ServesManyConnectionsAtOnce) {
    settings.threads = 3;
    start();
    std::vector<Client> clients;
    for (int i = 0; i < 200; ++i) clients.push_back(client());
    for (int round = 0; round < 3; ++round) {
        for (auto& one : clients) one.send(plain_get);
        for (auto& one : clients) ASSERT_EQ(status_of(one.read_answer()), 200);
        EXPECT_EQ(server->connections(), 200U);
    }
    clients.clear();
    wait_for_connections(0);
}

TEST_F(ServerTest, ClosesWhenTheClientWishes) {
    start();
    const auto answer = exchange(closing_get);
    EXPECT_THAT(answer, HasSubstr("\r\nconnection: close\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("keep-alive")));
    EXPECT_EQ(body_of(answer), "GET /a?b 2 127.0.0.1 ");
    wait_for_connections(0);
}

TEST_F(ServerTest, ClosesWhenTheHandlerWishes) {
    handler.on_request([](const pipeline::Request&, pipeline::Done done) {
        pipeline::Response response;
        response.close = true;
        done(std::move(response));
    });
    start();
    EXPECT_THAT(exchange(plain_get + plain_get), HasSubstr("\r\nconnection: close\r\n"));
    EXPECT_EQ(handler.handled, 1);
}

TEST_F(ServerTest, SpeaksHttp10) {
    start();
    EXPECT_THAT(exchange("GET / HTTP/1.0\r\n\r\n"), HasSubstr("\r\nconnection: close\r\n"));
    auto one = client();
    for (int i = 0; i < 2; ++i) {
        one.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_THAT(one.read_answer(), HasSubstr("\r\nconnection: keep-alive\r\n"));
    }
}

TEST_F(ServerTest, AnswersHeadWithoutABody) {
    start();
    auto one = client();
    one.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + plain_get);
    EXPECT_THAT(one.read_answer(false), HasSubstr("\r\ncontent-length: 19\r\n"));  // "HEAD / 1 127.0.0.1 "
    EXPECT_EQ(body_of(one.read_answer()), "GET /a?b 1 127.0.0.1 ");
}

TEST_F(ServerTest, AsksForTheBodyThatTheClientHoldsBack) {
    start();
    auto one = client();
    for (const std::string framing : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
        one.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n" + framing + "\r\n\r\n");
        EXPECT_EQ(one.read_head(), "HTTP/1.1 100 Continue\r\n\r\n");
        one.send(framing.starts_with('C') ? "hello" : "5\r\nhello\r\n0\r\n\r\n");
        EXPECT_EQ(body_of(one.read_answer()), "POST / 3 127.0.0.1 hello");
    }
}

TEST_F(ServerTest, DoesNotAskForABodyThatIsThereOrRefused) {
    start();
    auto one = client();
    one.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(status_of(one.read_answer()), 200);
    one.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(status_of(one.read_answer()), 200);
    one.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
    EXPECT_EQ(status_of(one.read_to_end()), 413);
}

TEST_F(ServerTest, GivesTheHandlerTheRequestAsSent) {
    handler.on_request([](const pipeline::Request& request, pipeline::Done done) {
        EXPECT_EQ(request.header("x-ACS-action"), "GetAccount");
        EXPECT_EQ(request.headers[1].name, "X-Acs-Action");
        EXPECT_EQ(request.header("absent"), "");
        EXPECT_EQ(request.target, "/p?q=%20");
        EXPECT_FALSE(request.tls);
        done({});
    });
    start();
    auto one = client();
    one.send("GET http://h:1/p?q=%20 HTTP/1.1\r\nHost: h\r\nX-Acs-Action:  GetAccount\r\nx-acs-action: second\r\n\r\n");
    EXPECT_EQ(status_of(one.read_answer()), 200);
}

TEST_F(ServerTest, StillAnswersAClientThatHasFinishedSending) {
    Gate sent;
    std::thread later;
    handler.on_request([&](const pipeline::Request& request, pipeline::Done done) {
        later = std::thread([&, done = std::move(done)] {
            sent.wait();
            done(Echo::echo(request));
        });
    });
    start();
    auto one = client();
    one.send(plain_get);
    one.finish_sending();
    sent.open();
    EXPECT_EQ(body_of(one.read_to_end()), "GET /a?b 1 127.0.0.1 ");
    later.join();
    wait_for_connections(0);
}

TEST_F(ServerTest, ServesLargeAnswersToSlowReaders) {
    const std::string large(8 * 1024 * 1024, 'z');
    handler.on_request([&](const pipeline::Request&, pipeline::Done done) {
        pipeline::Response response;
        response.body = large;
        done(std::move(response));
    });
    start();
    auto one = client(4096);
    for (int i = 0; i < 2; ++i) {
        one.send(plain_get);
        EXPECT_EQ(body_of(one.read_answer()), large);
    }
}

TEST_F(ServerTest, ListensOnIpv6) {
    server = std::make_unique<Server>(Listen{"::1", 0}, handler, settings, clock, [] {});
    try {
        server->start();
    } catch (const std::system_error& error) { GTEST_SKIP() << "this machine has no ::1: " << error.what(); }
    EXPECT_EQ(server->address(), "::1");
    Client one(server->port(), "::1");
    one.send(plain_get);
    EXPECT_EQ(body_of(one.read_answer()), "GET /a?b 1 ::1 ");
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
    start();
    EXPECT_NE(server->port(), 0);
    EXPECT_EQ(server->address(), "127.0.0.1");
    const auto reason = [this](const Listen& listen) -> std::string {
        try {
            Server(listen, handler, settings, clock, [] {}).start();
        } catch (const std::system_error& error) { return error.what(); }
        return "";
    };
    EXPECT_EQ(reason({"127.0.0.1", server->port()}), "cannot listen on 127.0.0.1:" + std::to_string(server->port()) + ": Address already in use");
    EXPECT_THAT(reason({"localhost", 8080}), StartsWith("cannot listen on localhost:8080: "));
    EXPECT_THAT(reason({"192.0.2.1", 80}), StartsWith("cannot listen on 192.0.2.1:80: "));
    EXPECT_THAT(reason({"2001:db8::1", 80}), StartsWith("cannot listen on [2001:db8::1]:80: "));
}

TEST_F(ServerTest, CallsBackBeforeItsThreadsWait) {
    start();
    const auto at_start = waits.load();
    auto one = client();
    one.send(plain_get);
    one.read_answer();
    while (waits <= at_start) std::this_thread::yield();
}

TEST_F(ServerTest, CanBeMadeWithoutBeingStarted) {
    server = std::make_unique<Server>(Listen{"127.0.0.1", 0}, handler, settings, clock, [] {});
    EXPECT_EQ(server->connections(), 0U);
    server->drain(1000);
}

}  // namespace
}  // namespace openrd::net
