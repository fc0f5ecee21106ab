#pragma once
// What a service manager is told (sd_notify(3), over NOTIFY_SOCKET): READY=1 and the like. Without a service manager nothing is said.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openrd {

class Notifier {
  public:
    // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Before there are other threads.
    Notifier();
    // To that socket: a path, or "@name" in the abstract space. Empty: nobody listens.
    explicit Notifier(std::string socket) : socket_(std::move(socket)) {}

    void ready(std::string_view status) const;
    void reloading() const;  // until the next ready()
    void stopping() const;
    void alive() const;  // the watchdog's

    // Within this time alive() is expected; nothing: never. Half of it is a good pace.
    std::optional<std::int64_t> watchdog_ms() const { return watchdog_ms_; }

  private:
    void send(const std::string& message) const;

    std::string socket_;
    std::optional<std::int64_t> watchdog_ms_;
};

}  // namespace openrd
