#pragma once
// For the tests: a server with a handler of the test's, and clients on raw sockets that see every byte.
#include "net/server.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace openrd::net {

// Blocks without limit: a test that hangs is stopped from outside.
class Client {
  public:
    explicit Client(std::uint16_t port, const std::string& address = "127.0.0.1", int receive_buffer = 0);
    Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}
    Client& operator=(Client&&) = delete;
    ~Client() { close(); }

    bool connected() const { return connected_; }
    bool send(std::string_view bytes);  // false: the server has closed
    void finish_sending();
    void close();
    void reset();  // closes with a RST

    std::string read_answer(bool has_body = true);  // head and body of one answer; what came before an early end
    std::string read_head();
    std::string read_to_end();

  private:
    bool receive();

    int socket_;
    bool connected_ = false;
    std::string received_;
};

int status_of(std::string_view answer);  // 0 when it is none
std::string body_of(std::string_view answer);

// Answers at once with what it got, unless the test says otherwise.
class Echo : public pipeline::Handler {
  public:
    using Behaviour = std::function<void(const pipeline::Request&, pipeline::Done)>;

    void on_request(Behaviour behaviour) {
        const std::lock_guard lock(mutex_);
        behaviour_ = std::move(behaviour);
    }
    void handle(const pipeline::Request& request, pipeline::Done done) override {
        ++handled;
        Behaviour behaviour;
        {
            const std::lock_guard lock(mutex_);
            behaviour = behaviour_;
        }
        if (behaviour) return behaviour(request, std::move(done));
        done(echo(request));
    }
    static pipeline::Response echo(const pipeline::Request& request);

    std::atomic<int> handled{0};

  private:
    std::mutex mutex_;
    Behaviour behaviour_;
};

// Opens once; everybody may wait for it.
class Gate {
  public:
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return open_; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

class ServerTest : public testing::Test {
  protected:
    ServerTest() { settings.threads = 2; }

    Server& start() {
        server = std::make_unique<Server>(Listen{"127.0.0.1", 0}, handler, settings, clock, [this] { ++waits; });
        server->trust(trusted);
        server->start();
        return *server;
    }
    Client client(int receive_buffer = 0) { return Client(server->port(), "127.0.0.1", receive_buffer); }
    // What a client gets that sends this and then only listens.
    std::string exchange(std::string_view bytes) {
        auto one = client();
        one.send(bytes);
        return one.read_to_end();
    }
    void wait_for_connections(std::size_t count) {
        while (server->connections() != count) std::this_thread::yield();
    }

    base::Settings settings;
    std::vector<base::Network> trusted;
    base::Clock clock;
    Echo handler;
    std::atomic<std::uint64_t> waits{0};
    std::unique_ptr<Server> server;
};

inline const std::string plain_get = "GET /a?b HTTP/1.1\r\nHost: h\r\n\r\n";
inline const std::string closing_get = "GET /a?b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

}  // namespace openrd::net
