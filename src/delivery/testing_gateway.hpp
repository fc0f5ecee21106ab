#pragma once
// A gateway of the test's own, on loopback, that answers as it is told or misbehaves, and remembers what reached it.
#include "base/delivery_settings.hpp"
#include "base/text.hpp"
#include "delivery/channel.hpp"
#include "keys/ring.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace openrd::delivery::testing {

struct Seen {
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string header(std::string_view name) const {
        for (const auto& [n, value] : headers)
            if (n == name) return value;
        return {};
    }
};

class TestGateway {
  public:
    using Behaviour = std::function<void(TestGateway&, int)>;

    TestGateway() {
        listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (listening_ < 0 || ::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listening_, 1024) != 0 ||
            ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
            throw std::runtime_error("no test gateway");
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    TestGateway(const TestGateway&) = delete;
    TestGateway& operator=(const TestGateway&) = delete;
    ~TestGateway() {
        stopping_ = true;
        thread_.join();
        ::close(listening_);
    }

    std::string url(std::string_view path = "") const { return "http://127.0.0.1:" + std::to_string(port_) + std::string(path); }
    void behave(Behaviour behaviour) {
        const std::lock_guard lock(mutex_);
        behaviour_ = std::move(behaviour);
    }
    std::vector<Seen> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }
    void forget() {
        const std::lock_guard lock(mutex_);
        seen_.clear();
    }

    // What it may do once it has read a request.
    static Behaviour answer(int status, std::string body, std::string headers = "") {
        return [=](TestGateway& gateway, int fd) {
            gateway.write(fd, "HTTP/1.1 " + std::to_string(status) + " Said\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
        };
    }
    static Behaviour silence() {
        return [](TestGateway& gateway, int fd) { gateway.until_closed(fd); };
    }
    static Behaviour close() {
        return [](TestGateway&, int) {};
    }
    static Behaviour reset() {
        return [](TestGateway&, int fd) {
            const linger at_once{.l_onoff = 1, .l_linger = 0};
            ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        };
    }
    static Behaviour half_a_head() {
        return [](TestGateway& gateway, int fd) { gateway.write(fd, "HTTP/1.1 20"); };
    }
    static Behaviour slow_body() {
        return [](TestGateway& gateway, int fd) {
            gateway.write(fd, "HTTP/1.1 202 Said\r\nContent-Length: 1000\r\n\r\n0: ");
            gateway.until_closed(fd);
        };
    }
    static Behaviour huge_body() {
        return [](TestGateway& gateway, int fd) {
            gateway.write(fd, "HTTP/1.1 202 Said\r\nContent-Length: 100000000\r\n\r\n");
            const std::string part(64 * 1024, '0');
            while (!gateway.stopping_ && gateway.write(fd, part)) {}
        };
    }

  private:
    void run() {
        while (!stopping_) {
            pollfd ready{.fd = listening_, .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, 20) <= 0) continue;
            const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
            if (fd < 0) continue;
            serve(fd);
            ::close(fd);
        }
    }
    bool readable(int fd) const {
        while (!stopping_) {
            pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, 20) > 0) return true;
        }
        return false;
    }
    void until_closed(int fd) const {
        char byte = 0;
        while (readable(fd) && ::recv(fd, &byte, 1, 0) > 0) {}
    }
    bool write(int fd, std::string_view text) const {
        while (!text.empty()) {
            const auto sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void serve(int fd) {
        std::string read;
        std::size_t head_end = std::string::npos, wanted = 0;
        while (head_end == std::string::npos || read.size() < wanted) {
            char part[4096];
            if (!readable(fd)) return;
            const auto got = ::recv(fd, part, sizeof part, 0);
            if (got <= 0) return;
            read.append(part, static_cast<std::size_t>(got));
            head_end = read.find("\r\n\r\n");
            if (head_end != std::string::npos) wanted = head_end + 4 + length_in(read.substr(0, head_end));
        }
        Behaviour behaviour;
        {
            const std::lock_guard lock(mutex_);
            seen_.push_back(parsed(read.substr(0, head_end), read.substr(head_end + 4)));
            behaviour = behaviour_;
        }
        behaviour(*this, fd);
    }
    static Seen parsed(const std::string& head, std::string body) {
        Seen seen{.method = {}, .target = {}, .body = std::move(body), .headers = {}};
        std::size_t at = head.find("\r\n");
        const auto first = head.substr(0, at);
        seen.method = first.substr(0, first.find(' '));
        seen.target = first.substr(seen.method.size() + 1, first.rfind(' ') - seen.method.size() - 1);
        while (at != std::string::npos) {
            const auto end = head.find("\r\n", at + 2);
            const auto line = head.substr(at + 2, end == std::string::npos ? end : end - at - 2);
            const auto colon = std::min(line.find(':'), line.size());
            seen.headers.emplace_back(base::ascii_lower(line.substr(0, colon)), base::trimmed(line.substr(std::min(colon + 1, line.size()))));
            at = end;
        }
        return seen;
    }
    static std::size_t length_in(const std::string& head) {
        std::size_t length = 0;
        const auto text = parsed(head, {}).header("content-length");
        std::from_chars(text.data(), text.data() + text.size(), length);
        return length;
    }

    int listening_ = -1, port_ = 0;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    Behaviour behaviour_ = answer(200, "");
    std::vector<Seen> seen_;
    std::thread thread_;
};

// A port on loopback where nobody listens.
inline std::string nobody_url() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no free port");
    ::close(fd);
    return "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

// What the tests of the channels send, by which channel. Code, number and secret are to be seen nowhere else.
inline constexpr std::string_view canary_code = "042137", canary_national = "81234567", canary_secret = "c2VjcmV0LWNhbmFyeS1vZi0yNC1ieXRlcw==";

inline const keys::Ring& ring() {
    static const keys::Ring r{base::Secret(std::string(32, 'k'))};
    return r;
}

inline OutgoingMessage message(std::string_view to = "65-81234567") {
    return {.id = "7F75E7B4-4636-4DB4-A8DE-5FC4A9E1F876",
            .to = *phone::MobileNumber::parse(to),
            .account_id = "1000000000000002",
            .purpose = "bind",
            .template_id = "bind-secure-phone",
            .code = base::Secret(std::string(canary_code)),
            .valid_for_ms = 10 * base::minute_ms,
            .now_ms = 1'764'000'000'000,
            .expires_at_ms = 1'764'000'600'000};
}

inline base::ChannelSettings settings(std::string kind, std::string url) {
    base::ChannelSettings s{.kind = kind, .name = kind, .url = std::move(url), .user = "user", .secret = base::Secret("whsec_" + std::string(canary_secret)), .from = "OPENRD"};
    s.timeout_ms = 400;
    s.loopback = true;
    s.receipts_url = "http://127.0.0.1:9";
    return s;
}

}  // namespace openrd::delivery::testing
