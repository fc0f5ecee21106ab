#pragma once
// The HTTP/1.1 listener: accepts connections, reads requests within their limits, gives them to a handler and writes its
// answers. What is no request, too large (413, 414, 431), too slow (408) or one connection too many (503) it answers itself,
// through pipeline::refusal, and closes (protocol.md E).
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/network.hpp"
#include "net/tls.hpp"
#include "pipeline/handler.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace openrd::net {

struct Listen {
    std::string address;     // "127.0.0.1", "::1": an IP address, not a name
    std::uint16_t port = 0;  // 0: a free one
};

class Server {
  public:
    // `handler` is called on the I/O threads and must not block them. `before_wait` is called on an I/O thread each time before
    // it waits for work. Both, and `clock`, must outlive the server; answers that the handler gives later are dropped.
    // Nothing to listen on: only what listen_tls says.
    Server(const std::optional<Listen>& listen, pipeline::Handler& handler, const base::Settings& settings, const base::Clock& clock, std::function<void()> before_wait);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();  // drain(0)

    // Before start(): HTTPS on that address, with the same threads and limits. `tls` outlives the server.
    void listen_tls(const Listen& listen, const TlsContext& tls);

    // Before start(): the networks of proxies that are believed (net/forwarded.hpp). None as delivered.
    void trust(std::vector<base::Network> proxies);

    // The first address as bound; after start the real port.
    std::string address() const;
    std::uint16_t port() const;
    // The same for either kind; nothing: not listened on.
    std::optional<Listen> plain() const;
    std::optional<Listen> encrypted() const;

    // Binds and begins to accept. Throws std::system_error that names the address: in use, not ours, not an address.
    void start();

    // Accepts no more, lets every request that has begun be answered, closes idle connections, ends the threads. Connections
    // that are not through after limit_ms are cut. Waits for it; not to be called on an I/O thread. Once drained, a server stays so.
    void drain(std::int64_t limit_ms);

    // Open ones, on all threads.
    std::size_t connections() const;

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace openrd::net
