#include "openrd/process.hpp"

#include "base/clock.hpp"
#include "openrd/endpoint.hpp"
#include "openrd/failure.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

namespace openrd {
namespace {

sigset_t awaited_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

class Socket {
  public:
    explicit Socket(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }

  private:
    int fd_;
};

}  // namespace

void forbid_core_dumps() {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // not even through a pipe, and no debugger of another process of the user
}

void allow_many_connections() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == files.rlim_max) return;
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
}

Signals::Signals() {
    const auto set = awaited_signals();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);  // a client that went away
    ::signal(SIGXFSZ, SIG_IGN);  // a file at its limit is a full disk
}

Signals::Told Signals::wait(std::int64_t timeout_ms) const {
    const auto set = awaited_signals();
    const auto end_ns = base::monotonic_ns() + timeout_ms * 1'000'000;
    for (auto left_ns = timeout_ms * 1'000'000; left_ns > 0; left_ns = end_ns - base::monotonic_ns()) {
        const timespec timeout{.tv_sec = left_ns / 1'000'000'000, .tv_nsec = left_ns % 1'000'000'000};
        const int signal = sigtimedwait(&set, nullptr, &timeout);
        if (signal > 0) return signal == SIGHUP ? Told::reload : Told::end;
        if (errno != EINTR) break;
    }
    return Told::nothing;
}

void try_to_listen(const net::Listen& listen) {
    const auto fail = [&] { throw std::system_error(errno, std::generic_category(), fmt::format("cannot listen on {}", written(listen))); };
    const bool v6 = listen.address.find(':') != std::string::npos;
    const Socket socket(v6 ? AF_INET6 : AF_INET);
    const int yes = 1;
    if (socket.get() < 0 || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) fail();
    sockaddr_in v4_address{.sin_family = AF_INET, .sin_port = htons(listen.port), .sin_addr = {}, .sin_zero = {}};
    sockaddr_in6 v6_address{.sin6_family = AF_INET6, .sin6_port = htons(listen.port), .sin6_flowinfo = 0, .sin6_addr = {}, .sin6_scope_id = 0};
    if (v6) inet_pton(AF_INET6, listen.address.c_str(), &v6_address.sin6_addr);
    else inet_pton(AF_INET, listen.address.c_str(), &v4_address.sin_addr);
    const auto* address = v6 ? reinterpret_cast<const sockaddr*>(&v6_address) : reinterpret_cast<const sockaddr*>(&v4_address);
    if (::bind(socket.get(), address, v6 ? sizeof v6_address : sizeof v4_address) != 0) fail();
}

ReadyFile::ReadyFile(std::string path) : path_(std::move(path)) {
    if (path_.empty()) return;
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT) throw Failure(fmt::format("the ready file {} cannot be removed: {}", path_, std::strerror(errno)));
    const auto slash = path_.rfind('/');
    const auto folder = slash == path_.npos ? std::string(".") : path_.substr(0, slash + 1);
    if (::access(folder.c_str(), W_OK) != 0) throw Failure(fmt::format("the ready file {} cannot be written: {}", path_, std::strerror(errno)));
}

void ReadyFile::write(const std::string& address) {
    if (path_.empty()) return;
    const auto aside = fmt::format("{}.{}", path_, ::getpid());
    std::FILE* file = std::fopen(aside.c_str(), "we");
    const bool written = file && std::fputs((address + "\n").c_str(), file) >= 0;
    const bool closed = file && std::fclose(file) == 0;
    if (written && closed && ::rename(aside.c_str(), path_.c_str()) == 0) return;
    const int error = errno;
    ::unlink(aside.c_str());
    throw Failure(fmt::format("the ready file {} cannot be written: {}", path_, std::strerror(error)));
}

void ReadyFile::remove() noexcept {
    if (!path_.empty()) ::unlink(path_.c_str());
}

}  // namespace openrd
