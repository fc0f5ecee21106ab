#include "net/testing_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>

namespace openrd::net {

Client::Client(std::uint16_t port, const std::string& address, int receive_buffer) {
    const bool v6 = address.find(':') != std::string::npos;
    socket_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (v6) {
        sockaddr_in6 to{};
        to.sin6_family = AF_INET6;
        to.sin6_port = htons(port);
        ::inet_pton(AF_INET6, address.c_str(), &to.sin6_addr);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    } else {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
        connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
}

bool Client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Client::finish_sending() { ::shutdown(socket_, SHUT_WR); }

void Client::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void Client::reset() {
    const linger abrupt{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
    close();
}

bool Client::receive() {
    std::array<char, 16384> bytes;
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count <= 0) return false;
    received_.append(bytes.data(), static_cast<std::size_t>(count));
    return true;
}

std::string Client::read_head() {
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
        if (!receive()) return std::exchange(received_, {});
    }
    auto head = received_.substr(0, end + 4);
    received_.erase(0, end + 4);
    return head;
}

std::string Client::read_answer(bool has_body) {
    auto answer = read_head();
    const auto length = answer.find("content-length: ");
    if (!has_body || length == std::string::npos) return answer;
    std::size_t size = 0;
    std::from_chars(answer.data() + length + 16, answer.data() + answer.size(), size);
    while (received_.size() < size && receive()) {}
    answer += received_.substr(0, size);
    received_.erase(0, size);
    return answer;
}

std::string Client::read_to_end() {
    while (receive()) {}
    return std::exchange(received_, {});
}

int status_of(std::string_view answer) {
    int status = 0;
    if (answer.starts_with("HTTP/1.1 ")) std::from_chars(answer.data() + 9, answer.data() + answer.size(), status);
    return status;
}

std::string body_of(std::string_view answer) {
    const auto end = answer.find("\r\n\r\n");
    return end == std::string_view::npos ? "" : std::string(answer.substr(end + 4));
}

pipeline::Response Echo::echo(const pipeline::Request& request) {
    pipeline::Response response;
    response.body = std::string(request.method) + ' ' + std::string(request.target) + ' ' + std::to_string(request.headers.size()) + ' ' + std::string(request.source_address) +
                    ' ' + std::string(request.body);
    return response;
}

}  // namespace openrd::net
