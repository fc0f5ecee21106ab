#include "gateways/smsc.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace openrd::tests {
namespace {

constexpr std::uint32_t response = 0x80000000, bind_receiver = 1, bind_transmitter = 2, submit_sm = 4, deliver_sm = 5, unbind = 6, bind_transceiver = 9, enquire_link = 0x15;
constexpr std::uint32_t system_error = 0x08, invalid_destination = 0x0B, bind_failed = 0x0D, throttled = 0x58;

void put32(std::string& out, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

// Takes the fields of a PDU from its front.
class Fields {
  public:
    explicit Fields(std::string_view body) : rest_(body) {}
    std::string text() {
        const auto end = std::min(rest_.find('\0'), rest_.size());
        std::string value(rest_.substr(0, end));
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        return value;
    }
    int byte() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    std::string bytes(int count) {
        std::string value(rest_.substr(0, static_cast<std::size_t>(count)));
        rest_.remove_prefix(value.size());
        return value;
    }

  private:
    std::string_view rest_;
};

int listen_at(int& port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    socklen_t size = sizeof address;
    if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(fd, 16) != 0 || ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("the SMSC of the test cannot listen");
    port = ntohs(address.sin_port);
    return fd;
}

}  // namespace

Smsc::Smsc(std::string user, std::string password) : user_(std::move(user)), password_(std::move(password)) {
    ::close(listen_at(port_));  // from now on it is ours
    thread_ = std::thread([this] { run(); });
}

Smsc::~Smsc() {
    stopping_ = true;
    thread_.join();
}

std::vector<Submitted> Smsc::submitted() const {
    const std::lock_guard lock(mutex_);
    return submitted_;
}

std::size_t Smsc::submitted_to(std::string_view number) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::ranges::count(submitted_, number, &Submitted::to));
}

void Smsc::run() {
    int listening = -1;
    while (!stopping_) {
        if (!up_) {
            if (listening >= 0) ::close(std::exchange(listening, -1));
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
            continue;
        }
        if (listening < 0) listening = listen_at(port_);
        pollfd ready{.fd = listening, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 20) <= 0) continue;
        const int fd = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        serve(fd);
        linked_ = false;
        ::close(fd);
    }
    if (listening >= 0) ::close(listening);
}

bool Smsc::read_bytes(int fd, char* into, std::size_t size) {
    while (size > 0) {
        if (stopping_ || !up_) return false;
        pollfd ready{.fd = fd, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 20) <= 0) continue;
        const auto got = ::recv(fd, into, size, 0);
        if (got <= 0) return false;
        into += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

bool Smsc::read_pdu(int fd, Pdu& pdu) {
    unsigned char head[16];
    if (!read_bytes(fd, reinterpret_cast<char*>(head), sizeof head)) return false;
    const auto number = [&](std::size_t at) { return std::uint32_t{head[at]} << 24 | std::uint32_t{head[at + 1]} << 16 | std::uint32_t{head[at + 2]} << 8 | head[at + 3]; };
    const auto length = number(0);
    if (length < 16 || length > 65'536) return false;
    pdu = {.command = number(4), .status = number(8), .sequence = number(12), .body = std::string(length - 16, '\0')};
    return read_bytes(fd, pdu.body.data(), pdu.body.size());
}

void Smsc::write_pdu(int fd, const Pdu& pdu) {
    std::string out;
    put32(out, static_cast<std::uint32_t>(16 + pdu.body.size()));
    put32(out, pdu.command);
    put32(out, pdu.status);
    put32(out, pdu.sequence);
    out += pdu.body;
    ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
}

void Smsc::serve(int fd) {
    Pdu pdu;
    while (read_pdu(fd, pdu)) {
        const auto answer = [&](std::uint32_t status, std::string body) {
            write_pdu(fd, {.command = pdu.command | response, .status = status, .sequence = pdu.sequence, .body = std::move(body)});
        };
        switch (pdu.command) {
            case bind_receiver:
            case bind_transmitter:
            case bind_transceiver: {
                Fields fields(pdu.body);
                const bool known = fields.text() == user_ && fields.text() == password_;
                answer(known ? 0 : bind_failed, std::string("SIM") + '\0');
                if (!known) return;
                ++binds_;
                linked_ = true;
                break;
            }
            case enquire_link:
                answer(0, "");
                break;
            case submit_sm:
                if (!submit(fd, pdu)) return;
                break;
            case unbind:
                answer(0, "");
                return;
            default:  // answers to our deliver_sm
                break;
        }
    }
}

bool Smsc::submit(int fd, const Pdu& pdu) {
    Fields fields(pdu.body);
    Submitted message;
    fields.text();  // service type
    fields.byte(), fields.byte();
    message.from = fields.text();
    fields.byte(), fields.byte();
    message.to = fields.text();
    fields.byte(), fields.byte(), fields.byte();  // class, protocol, priority
    fields.text();                                // when
    message.validity = fields.text();
    const int registered = fields.byte();
    fields.byte();
    message.coding = fields.byte();
    fields.byte();
    message.text = fields.bytes(fields.byte());
    const auto kind = message.to.size() < 4 ? std::string() : message.to.substr(message.to.size() - 4);
    const bool again = submitted_to(message.to) > 0;
    {
        const std::lock_guard lock(mutex_);
        submitted_.push_back(message);
    }
    const auto answer = [&](std::uint32_t status, std::string body) {
        write_pdu(fd, {.command = submit_sm | response, .status = status, .sequence = pdu.sequence, .body = std::move(body)});
    };
    if (kind == smsc_does_not_answer) return true;
    if (kind == smsc_drops_the_link_once && !again) return false;
    if (kind == smsc_throttles || kind == smsc_rejects || kind == smsc_fails) {
        answer(kind == smsc_throttles ? throttled : kind == smsc_rejects ? invalid_destination : system_error, "");
        return true;
    }
    const auto id = fmt::format("{:08X}", next_id_++);
    answer(0, id + '\0');
    if (kind == smsc_tells_nothing || (registered & 3) == 0) return true;
    deliver_receipt(fd, message, id, kind == smsc_cannot_deliver ? "UNDELIV" : kind == smsc_lets_expire ? "EXPIRED" : kind == smsc_delivers_rejected ? "REJECTD" : "DELIVRD");
    return true;
}

void Smsc::deliver_receipt(int fd, const Submitted& message, const std::string& id, std::string_view state) {
    const bool delivered = state == "DELIVRD";
    const auto text =
        fmt::format("id:{} sub:001 dlvrd:{} submit date:2611241200 done date:2611241200 stat:{} err:{} text:", id, delivered ? "001" : "000", state, delivered ? "000" : "011");
    std::string body(1, '\0');
    body += '\1', body += '\1', body += message.to + '\0';
    body += '\0', body += '\0', body += message.from + '\0';
    body += '\4';                  // a receipt
    body += std::string(8, '\0');  // protocol, priority, when, until, registered, replace, coding, default text
    body += static_cast<char>(text.size());
    body += text;
    write_pdu(fd, {.command = deliver_sm, .status = 0, .sequence = next_sequence_++, .body = std::move(body)});
}

}  // namespace openrd::tests
