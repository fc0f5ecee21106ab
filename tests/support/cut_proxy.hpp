#pragma once
// A PostgreSQL server behind a bad line: forwards between clients and a port of 127.0.0.1, message by message, and cuts, stalls or
// refuses where a test says. What is sent before a cut arrives; what comes after it does not.
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace openrd::tests {

enum class From : std::uint8_t { client, server };

// A message of the protocol (PostgreSQL 15, 55.7): whole, as it goes over the line.
struct ProxiedMessage {
    From from = From::client;
    char type = 0;               // 0: it has none (a client's first ones, and the server's one byte in answer)
    std::string_view bytes;      // type and length included
    std::size_t connection = 0;  // counted from 1
};

// What becomes of a message.
struct Fate {
    enum class Kind : std::uint8_t { pass, cut, stall } kind = Kind::pass;
    std::size_t bytes_before = 0;  // cut: so many of its bytes still arrive
};
inline constexpr Fate pass{};
inline constexpr Fate cut_before{Fate::Kind::cut, 0};
inline constexpr Fate cut_after{Fate::Kind::cut, SIZE_MAX};
inline constexpr Fate cut_inside(std::size_t bytes) { return {Fate::Kind::cut, bytes}; }
// This connection stands still, both ways, until the next decide(), forward() or cut_all().
inline constexpr Fate stall_before{Fate::Kind::stall, 0};

class CutProxy {
  public:
    using Decide = std::function<Fate(const ProxiedMessage&)>;

    explicit CutProxy(int server_port);
    CutProxy(const CutProxy&) = delete;
    CutProxy& operator=(const CutProxy&) = delete;
    ~CutProxy();

    int port() const { return port_; }
    void set_server_port(int port) { server_port_ = port; }

    // Asked for every message from now on, one at a time.
    void decide(Decide decide);
    // The first connection over which `count` bytes from that side have gone, counted from now on over all connections, is cut
    // behind them; once.
    void cut_after_bytes(From from, std::uint64_t count);
    // Everything passes again.
    void forward();
    // All connections that are open.
    void cut_all();
    // Connections are reset as soon as they are made; those that are open stay.
    void refuse(bool refuses) { refuses_ = refuses; }
    // Nothing moves, and new connections wait.
    void stall(bool stalls) { stalls_ = stalls; }

    std::size_t connections() const { return connections_; }
    std::size_t cuts() const { return cuts_; }
    std::uint64_t bytes(From from) const { return from == From::client ? client_bytes_ : server_bytes_; }

  private:
    class Line;
    void accept_all();
    void serve(int client, std::size_t number);
    Fate fate_of(const ProxiedMessage& message);

    std::atomic<int> server_port_;
    int listener_ = -1;
    int port_ = 0;
    std::atomic<bool> ending_{false}, refuses_{false}, stalls_{false};
    std::atomic<std::size_t> connections_{0}, cuts_{0};
    std::atomic<std::uint64_t> client_bytes_{0}, server_bytes_{0};
    std::atomic<std::uint64_t> epoch_{0};      // of the decision: a stalled connection asks again when it changes
    std::atomic<std::uint64_t> cut_epoch_{0};  // of cut_all
    std::mutex mutex_;
    Decide decide_;
    std::vector<std::thread> lines_;
    std::thread acceptor_;
};

}  // namespace openrd::tests
