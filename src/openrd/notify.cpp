#include "openrd/notify.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace openrd {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): before there are threads
    return value ? value : "";
}

std::int64_t number(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

Notifier::Notifier() : socket_(variable("NOTIFY_SOCKET")) {
    const auto microseconds = number(variable("WATCHDOG_USEC"));
    const auto process = variable("WATCHDOG_PID");
    if (microseconds >= 1000 && (process.empty() || number(process) == ::getpid())) watchdog_ms_ = microseconds / 1000;
}

void Notifier::ready(std::string_view status) const { send(fmt::format("READY=1\nSTATUS={}\nMAINPID={}", status, ::getpid())); }

void Notifier::reloading() const { send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}", base::monotonic_ns() / 1000)); }

void Notifier::stopping() const { send("STOPPING=1"); }

void Notifier::alive() const { send("WATCHDOG=1"); }

void Notifier::send(const std::string& message) const {
    if (socket_.empty()) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const bool abstract = socket_.front() == '@';
    if ((!abstract && socket_.front() != '/') || socket_.size() >= sizeof address.sun_path) return;
    std::memcpy(static_cast<char*>(address.sun_path), socket_.data(), socket_.size());
    if (abstract) address.sun_path[0] = '\0';
    // An abstract name is as long as it says, zeros and all.
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size() + (abstract ? 0 : 1));
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const auto sent = ::sendto(fd, message.data(), message.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
    if (sent < 0) base::log::warning("the service manager was not told", {{"reason", std::strerror(errno)}});
    ::close(fd);
}

}  // namespace openrd
