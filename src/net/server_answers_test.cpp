// When the handler answers: at once, later, from another thread, twice, never; and when everything ends.
#include "net/testing_server.hpp"

#include <stdexcept>

namespace openrd::net {
namespace {

using testing::HasSubstr;

// Answers on a thread of its own, when the test lets it.
class LaterAnswers : public ServerTest {
  protected:
    LaterAnswers() {
        handler.on_request([this](const pipeline::Request& request, pipeline::Done done) {
            const std::lock_guard lock(mutex);
            waiting.push_back([&request, done = std::move(done)] { done(Echo::echo(request)); });
            arrived.notify_all();
        });
    }
    void wait_for_requests(std::size_t count) {
        std::unique_lock lock(mutex);
        arrived.wait(lock, [&] { return waiting.size() >= count; });
    }
    std::vector<std::function<void()>> taken() {
        const std::lock_guard lock(mutex);
        return std::exchange(waiting, {});
    }
    void answer_all() {
        for (auto& one : taken()) one();
    }

    std::mutex mutex;
    std::condition_variable arrived;
    std::vector<std::function<void()>> waiting;
};

TEST_F(LaterAnswers, ComeFromAnotherThread) {
    start();
    std::vector<Client> clients;
    for (int i = 0; i < 40; ++i) {
        clients.push_back(client());
        clients.back().send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
    }
    wait_for_requests(40);
    std::thread([this] { answer_all(); }).join();
    for (int i = 0; i < 40; ++i) EXPECT_EQ(body_of(clients[static_cast<std::size_t>(i)].read_answer()), "GET /" + std::to_string(i) + " 1 127.0.0.1 ");
}

TEST_F(LaterAnswers, DoNotHoldUpOtherConnections) {
    settings.threads = 1;
    start();
    auto first = client();
    first.send(plain_get);
    wait_for_requests(1);
    const auto held = taken();
    auto second = client();
    second.send(plain_get);
    wait_for_requests(1);
    answer_all();
    EXPECT_EQ(status_of(second.read_answer()), 200);
    held.front()();
    EXPECT_EQ(status_of(first.read_answer()), 200);
}

TEST_F(LaterAnswers, MayBeGivenFromWithinAnotherRequest) {
    settings.threads = 1;
    start();
    auto first = client();
    first.send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for_requests(1);
    const auto held = taken();
    handler.on_request([&](const pipeline::Request& request, pipeline::Done done) {
        held.front()();
        done(Echo::echo(request));
    });
    auto second = client();
    second.send("GET /second HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(body_of(second.read_answer()), "GET /second 1 127.0.0.1 ");
    EXPECT_EQ(body_of(first.read_answer()), "GET /first 1 127.0.0.1 ");
}

TEST_F(LaterAnswers, FindTheirRequestThoughTheClientIsGone) {
    start();
    for (int i = 0; i < 20; ++i) {
        auto gone = client();
        gone.send("POST /kept HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nstill her");
        wait_for_requests(1);
        i % 2 == 0 ? gone.reset() : gone.close();
        answer_all();  // reads the views: the sanitizer would tell
    }
    wait_for_connections(0);
}

TEST_F(LaterAnswers, FindTheirRequestThoughTheServerIsGone) {
    start();
    auto one = client();
    one.send("POST /kept HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    wait_for_requests(1);
    server->drain(0);
    server.reset();
    EXPECT_EQ(one.read_to_end(), "");
    answer_all();
}

TEST_F(ServerTest, IgnoresASecondAnswer) {
    handler.on_request([](const pipeline::Request& request, pipeline::Done done) {
        const auto again = done;
        done(Echo::echo(request));
        again(Echo::echo(request));
        std::thread([again] { again({}); }).join();
    });
    start();
    auto one = client();
    for (int i = 0; i < 3; ++i) {
        one.send("GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n");
        EXPECT_EQ(body_of(one.read_answer()), "GET /" + std::to_string(i) + " 1 127.0.0.1 ");
    }
}

TEST_F(ServerTest, ClosesWhenARequestIsDroppedWithoutAnAnswer) {
    handler.on_request([](const pipeline::Request&, pipeline::Done) {});
    start();
    EXPECT_EQ(exchange(plain_get), "");
    handler.on_request([](const pipeline::Request&, pipeline::Done done) { std::thread([dropped = std::move(done)] {}).detach(); });
    EXPECT_EQ(exchange(plain_get), "");
    wait_for_connections(0);
}

TEST_F(ServerTest, OutlivesAHandlerThatThrows) {
    handler.on_request([](const pipeline::Request&, const pipeline::Done&) { throw std::runtime_error("no"); });
    start();
    EXPECT_EQ(exchange(plain_get), "");
    handler.on_request([](const pipeline::Request& request, const pipeline::Done& done) {
        done(Echo::echo(request));
        throw std::runtime_error("after the answer");
    });
    EXPECT_EQ(body_of(exchange(closing_get)), "GET /a?b 2 127.0.0.1 ");
}

TEST_F(ServerTest, OutlivesClientsThatLeaveAtEveryStage) {
    start();
    const std::string request = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (std::size_t sent = 0; sent <= request.size(); ++sent) {
        client().send(request.substr(0, sent));
        auto abrupt = client();
        abrupt.send(request.substr(0, sent));
        abrupt.reset();
    }
    auto one = client();
    one.send(plain_get);
    EXPECT_EQ(status_of(one.read_answer()), 200);
    one.close();
    wait_for_connections(0);
}

TEST_F(ServerTest, OutlivesClientsThatLeaveDuringTheAnswer) {
    handler.on_request([](const pipeline::Request&, pipeline::Done done) {
        pipeline::Response response;
        response.body.assign(8 * 1024 * 1024, 'z');
        done(std::move(response));
    });
    start();
    for (int i = 0; i < 10; ++i) {
        auto one = client(4096);
        one.send(plain_get);
        one.read_head();
        i % 2 == 0 ? one.reset() : one.close();
    }
    wait_for_connections(0);
}

TEST_F(LaterAnswers, AreWaitedForByDrain) {
    start();
    auto busy = client(), idle = client();
    busy.send(plain_get + plain_get);
    wait_for_requests(1);
    wait_for_connections(2);
    const auto port = server->port();
    std::thread draining([this] { server->drain(60'000); });
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_FALSE(Client(port).connected());
    answer_all();
    const auto answer = busy.read_to_end();
    EXPECT_THAT(answer, HasSubstr("\r\nconnection: close\r\n"));
    EXPECT_EQ(body_of(answer), "GET /a?b 1 127.0.0.1 ");
    busy.close();
    draining.join();
    EXPECT_EQ(server->connections(), 0U);
}

TEST_F(LaterAnswers, AreNotWaitedForWhenTheLimitOfDrainHasPassed) {
    start();
    auto one = client();
    one.send(plain_get);
    wait_for_requests(1);
    server->drain(50);
    EXPECT_EQ(server->connections(), 0U);
    EXPECT_EQ(one.read_to_end(), "");
    answer_all();
}

TEST_F(ServerTest, DrainAnswersARequestThatHasBegun) {
    start();
    auto one = client();
    one.send(plain_get);
    one.read_answer();
    one.send(plain_get.substr(0, 10));
    std::thread draining([this] { server->drain(60'000); });
    // Only the listener tells that the server drains.
    while (Client(server->port()).connected()) std::this_thread::yield();
    one.send(plain_get.substr(10));
    EXPECT_EQ(body_of(one.read_to_end()), "GET /a?b 1 127.0.0.1 ");
    one.close();
    draining.join();
}

TEST_F(ServerTest, CanBeDrainedTwice) {
    start();
    server->drain(1000);
    server->drain(1000);
    EXPECT_FALSE(Client(server->port()).connected());
}

}  // namespace
}  // namespace openrd::net
