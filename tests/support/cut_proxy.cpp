#include "support/cut_proxy.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>

namespace openrd::tests {
namespace {

constexpr int look_every_ms = 5;
constexpr std::uint32_t ssl_request = 80877103, gss_request = 80877104;

sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

void at_once(int fd) {
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

bool send_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::uint32_t big_endian(std::string_view bytes) {
    std::uint32_t result = 0;
    for (const char c : bytes.substr(0, 4)) result = result << 8 | static_cast<unsigned char>(c);
    return result;
}

void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(look_every_ms)); }

}  // namespace

// One connection: both sockets, and what has come of a message that is not whole yet.
class CutProxy::Line {
  public:
    Line(CutProxy& proxy, int client, std::size_t number)
        : proxy_(proxy), number_(number), cut_epoch_(proxy.cut_epoch_), client_(client), server_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const auto address = loopback(proxy.server_port_);
        open_ = connect(server_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
        at_once(client_);
        at_once(server_);
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() {
        close(client_);
        close(server_);
    }

    void run() {
        while (open_ && !proxy_.ending_ && cut_epoch_ == proxy_.cut_epoch_) {
            if (proxy_.stalls_ || stalled_in_ == proxy_.epoch_) {
                pause();
                continue;
            }
            stalled_in_.reset();
            forward(From::client);
            forward(From::server);
            if (open_ && !stalled_in_) read_more();
        }
        if (cut_epoch_ != proxy_.cut_epoch_) ++proxy_.cuts_;
    }

  private:
    void read_more() {
        std::array<pollfd, 2> both{{{client_, POLLIN, 0}, {server_, POLLIN, 0}}};
        if (poll(both.data(), both.size(), look_every_ms) <= 0) return;
        // The server first: what it has answered is on its way before the client's next words.
        if (both[1].revents != 0) read_from(server_, from_server_);
        if (both[0].revents != 0) read_from(client_, from_client_);
    }

    void read_from(int fd, std::string& into) {
        std::array<char, 65536> buffer{};
        const ssize_t size = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (size > 0) {
            into.append(buffer.data(), static_cast<std::size_t>(size));
        } else if (size == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
            ended_ = true;
        }
        // What came before the end still goes through.
        if (ended_) {
            forward(From::server);
            forward(From::client);
            open_ = false;
        }
    }

    // The size of the next message; nothing when it has not come whole.
    std::optional<std::size_t> next_size(From from) const {
        const std::string_view waiting = from == From::client ? from_client_ : from_server_;
        if (waiting.empty()) return {};
        if (encrypted_) return waiting.size();
        if (from == From::server && one_byte_) return 1;
        const std::size_t head = from == From::client && starting_ ? 0 : 1;
        if (waiting.size() < head + 4) return {};
        const std::size_t size = head + big_endian(waiting.substr(head));
        return waiting.size() < size ? std::nullopt : std::optional(size);
    }

    void forward(From from) {
        std::string& waiting = from == From::client ? from_client_ : from_server_;
        while (open_ && !stalled_in_) {
            const auto size = next_size(from);
            if (!size) return;
            const std::string_view bytes = std::string_view(waiting).substr(0, *size);
            const bool typed = from == From::client ? !starting_ : !one_byte_;
            const std::uint64_t epoch = proxy_.epoch_;
            const Fate fate = proxy_.fate_of({from, typed && !encrypted_ ? bytes.front() : '\0', bytes, number_});
            if (fate.kind == Fate::Kind::stall) {
                stalled_in_ = epoch;
                return;
            }
            const auto passed = fate.kind == Fate::Kind::pass ? bytes : bytes.substr(0, std::min(fate.bytes_before, bytes.size()));
            note(from, bytes);
            (from == From::client ? proxy_.client_bytes_ : proxy_.server_bytes_) += passed.size();
            if (!send_all(from == From::client ? server_ : client_, passed)) open_ = false;
            if (fate.kind == Fate::Kind::cut) {
                ++proxy_.cuts_;
                open_ = false;
            }
            waiting.erase(0, *size);
        }
    }

    // Where in the greeting the two are.
    void note(From from, std::string_view bytes) {
        if (from == From::server && one_byte_) {
            one_byte_ = false;
            encrypted_ = bytes.front() == 'S' || bytes.front() == 'G';
        } else if (from == From::client && starting_ && !encrypted_) {
            const auto code = bytes.size() == 8 ? big_endian(bytes.substr(4)) : 0;
            one_byte_ = code == ssl_request || code == gss_request;
            starting_ = one_byte_;
        }
    }

    CutProxy& proxy_;
    const std::size_t number_;
    const std::uint64_t cut_epoch_;
    int client_, server_;
    bool open_ = false, ended_ = false;
    bool starting_ = true;    // the client's next message has no type
    bool one_byte_ = false;   // the server's next is a single byte
    bool encrypted_ = false;  // no messages to be seen any more
    std::optional<std::uint64_t> stalled_in_;
    std::string from_client_, from_server_;
};

CutProxy::CutProxy(int server_port) : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (listener_ < 0 || bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 128) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("the proxy cannot listen");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

CutProxy::~CutProxy() {
    ending_ = true;
    acceptor_.join();
    for (auto& line : lines_) line.join();
    close(listener_);
}

void CutProxy::accept_all() {
    while (!ending_) {
        pollfd waiting{listener_, POLLIN, 0};
        if (stalls_) {
            pause();
            continue;
        }
        if (poll(&waiting, 1, look_every_ms) <= 0) continue;
        const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        if (refuses_) {
            const linger reset{1, 0};
            setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
            close(client);
            continue;
        }
        lines_.emplace_back([this, client, number = ++connections_] { serve(client, number); });
    }
}

void CutProxy::serve(int client, std::size_t number) { Line(*this, client, number).run(); }

Fate CutProxy::fate_of(const ProxiedMessage& message) {
    const std::lock_guard lock(mutex_);
    return decide_ ? decide_(message) : pass;
}

void CutProxy::decide(Decide decide) {
    const std::lock_guard lock(mutex_);
    decide_ = std::move(decide);
    ++epoch_;
}

void CutProxy::cut_after_bytes(From from, std::uint64_t count) {
    decide([from, left = count, done = false](const ProxiedMessage& message) mutable -> Fate {
        if (done || message.from != from) return pass;
        if (left >= message.bytes.size()) {
            left -= message.bytes.size();
            if (left > 0) return pass;
            done = true;
            return cut_after;
        }
        done = true;
        return cut_inside(static_cast<std::size_t>(left));
    });
}

void CutProxy::forward() { decide(nullptr); }

void CutProxy::cut_all() { ++cut_epoch_; }

}  // namespace openrd::tests
