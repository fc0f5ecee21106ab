#include "net/server.hpp"

#include "net/io_thread.hpp"
#include "net/session.hpp"

#include <fmt/format.h>
#include <boost/asio/post.hpp>

#include <future>
#include <system_error>

namespace openrd::net {
namespace {

using asio::ip::tcp;

// Connections over the limit that may still get their 503; more are closed without a word.
constexpr std::size_t refused_at_once = 256;
// When the process has no descriptor left for a connection, accepting rests.
constexpr auto accept_pause = std::chrono::milliseconds(100);

std::string text_of(const asio::ip::address& address) {
    if (address.is_v4()) return address.to_string();
    auto v6 = address.to_v6();
    if (v6.is_v4_mapped()) return asio::ip::make_address_v4(asio::ip::v4_mapped, v6).to_string();
    v6.scope_id(0);
    return v6.to_string();
}

// Accepts on the first I/O thread and hands the sockets round.
class Acceptor {
  public:
    Acceptor(std::vector<std::unique_ptr<IoThread>>& threads, IoThread::House& house, const TlsContext* tls)
        : threads_(threads), house_(house), tls_(tls), acceptor_(threads.front()->context()), pause_(threads.front()->context()) {}

    tcp::endpoint bind(const Listen& listen) {
        const auto check = [&listen](const ErrorCode& error) {
            if (!error) return;
            const bool v6 = listen.address.find(':') != std::string::npos;
            throw std::system_error(std::error_code(error), fmt::format("cannot listen on {}{}{}:{}", v6 ? "[" : "", listen.address, v6 ? "]" : "", listen.port));
        };
        ErrorCode error;
        const tcp::endpoint endpoint(asio::ip::make_address(listen.address, error), listen.port);
        check(error);
        acceptor_.open(endpoint.protocol(), error);
        check(error);
        acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        check(error);
        acceptor_.bind(endpoint, error);
        check(error);
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
        check(error);
        return acceptor_.local_endpoint();
    }

    void accept_next() {
        IoThread& thread = *threads_[next_];
        acceptor_.async_accept(thread.context(), peer_, [this, &thread](const ErrorCode& error, Socket socket) {
            if (!error) welcome(thread, std::move(socket));
            if (!acceptor_.is_open() || finished_) return;
            if (error && error != asio::error::connection_aborted) return rest();
            accept_next();
        });
    }

    // Takes in what the kernel has already accepted, so that nobody who is connected is cut, and closes. On the first thread.
    void finish() {
        finished_ = true;
        pause_.cancel();
        ErrorCode error;
        acceptor_.non_blocking(true, error);
        while (!error) {
            IoThread& thread = *threads_[next_];
            Socket socket(thread.context());
            acceptor_.accept(socket, peer_, error);
            if (!error) welcome(thread, std::move(socket));
        }
        acceptor_.close(error);
    }

  private:
    void welcome(IoThread& thread, Socket socket) {
        next_ = (next_ + 1) % threads_.size();
        const auto others = house_.census.count();
        if (others >= house_.limits.connections + refused_at_once) return;  // the socket closes here
        house_.census.enter();
        try {
            thread.adopt(std::move(socket), text_of(peer_.address()), tls_, others >= house_.limits.connections);
        } catch (...) { house_.census.leave(); }
    }

    void rest() {
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](const ErrorCode& error) {
            if (!error && !finished_) accept_next();
        });
    }

    std::vector<std::unique_ptr<IoThread>>& threads_;
    IoThread::House& house_;
    const TlsContext* tls_;  // null: plain HTTP
    asio::basic_socket_acceptor<tcp, asio::io_context::executor_type> acceptor_;
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, asio::io_context::executor_type> pause_;
    tcp::endpoint peer_;
    std::size_t next_ = 0;
    bool finished_ = false;
};

}  // namespace

struct Server::Parts {
    struct Door {
        Listen listen;
        const TlsContext* tls = nullptr;
        std::unique_ptr<Acceptor> acceptor = {};  // its socket belongs to a context of the first thread
    };
    std::uint32_t thread_count;
    IoThread::House house;
    std::vector<std::unique_ptr<IoThread>> threads;
    std::vector<Door> doors;  // after the threads

    std::optional<Listen> find(bool encrypted) const {
        for (const auto& door : doors)
            if ((door.tls != nullptr) == encrypted) return door.listen;
        return {};
    }
};

Server::Server(const std::optional<Listen>& listen, pipeline::Handler& handler, const base::Settings& settings, const base::Clock& clock, std::function<void()> before_wait)
    : parts_(new Parts{
          .thread_count = settings.threads > 0 ? settings.threads : std::max(1U, std::thread::hardware_concurrency()),
          .house = {.handler = handler, .clock = clock, .limits = settings.http, .trusted_proxies = {}, .before_wait = std::move(before_wait), .census = {}},
          .threads = {},
          .doors = {},
      }) {
    if (listen) parts_->doors.push_back({.listen = *listen});
}

Server::~Server() { drain(0); }

void Server::listen_tls(const Listen& listen, const TlsContext& tls) { parts_->doors.push_back({.listen = listen, .tls = &tls}); }

void Server::trust(std::vector<base::Network> proxies) { parts_->house.trusted_proxies = std::move(proxies); }

std::string Server::address() const { return parts_->doors.front().listen.address; }
std::uint16_t Server::port() const { return parts_->doors.front().listen.port; }
std::optional<Listen> Server::plain() const { return parts_->find(false); }
std::optional<Listen> Server::encrypted() const { return parts_->find(true); }
std::size_t Server::connections() const { return parts_->house.census.count(); }

void Server::start() {
    auto& parts = *parts_;
    std::vector<std::unique_ptr<IoThread>> threads;
    for (std::uint32_t i = 0; i < parts.thread_count; ++i) threads.push_back(std::make_unique<IoThread>(parts.house));
    parts.threads = std::move(threads);
    for (auto& door : parts.doors) door.acceptor = std::make_unique<Acceptor>(parts.threads, parts.house, door.tls);
    try {
        for (auto& door : parts.doors) {
            const auto bound = door.acceptor->bind(door.listen);
            door.listen = {text_of(bound.address()), bound.port()};
        }
        for (auto& door : parts.doors) door.acceptor->accept_next();
        for (auto& thread : parts.threads) thread->start();
    } catch (...) {
        drain(0);
        throw;
    }
}

void Server::drain(std::int64_t limit_ms) {
    auto& parts = *parts_;
    if (parts.threads.empty()) return;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
    const auto closed = std::make_shared<std::promise<void>>();
    auto& first = parts.threads.front()->context();
    asio::post(first, [&parts, &first, closed] {
        for (auto& door : parts.doors) door.acceptor->finish();
        // Behind the accepts that were under way: their connections count too.
        asio::post(first, [closed] { closed->set_value(); });
    });
    closed->get_future().wait_until(deadline);
    for (auto& thread : parts.threads) thread->drain();
    parts.house.census.wait_until_empty(deadline);
    for (auto& thread : parts.threads) thread->stop();
    for (auto& thread : parts.threads) thread->join();
    for (auto& door : parts.doors) door.acceptor.reset();
    parts.threads.clear();
}

}  // namespace openrd::net
