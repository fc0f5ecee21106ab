#pragma once
// What a listener needs to speak TLS: a certificate and its key, which may be replaced while it serves.
#include <cstdint>
#include <memory>
#include <string>

namespace openrd::net {

class TlsConnection;

// TLS 1.2 and 1.3, forward secrecy and authenticated encryption only, ALPN http/1.1 (a client that offers other protocols alone is
// refused), no renegotiation, no compression. Writing to a connection that is gone raises SIGPIPE, which the process must ignore.
class TlsContext {
  public:
    // PEM: the certificate with those between it and its root; its private key, without a passphrase. Throws std::runtime_error, one
    // line: a file cannot be read, the two do not belong together, or others may read the key.
    TlsContext(std::string certificate_file, std::string key_file);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    // Reads the files again, for connections from now on. What is there is kept when it throws. On any thread.
    void reload();

    // When the certificate in use ends, in seconds since 1970.
    std::int64_t expires_at_s() const;

    // For net/: the server's side on that socket, which is not blocking. Throws std::bad_alloc.
    std::unique_ptr<TlsConnection> accept(int socket) const;

  private:
    struct Loaded;
    std::shared_ptr<const Loaded> current() const;

    std::string certificate_file_, key_file_;
    std::shared_ptr<const Loaded> loaded_;  // by std::atomic_load and _store
};

}  // namespace openrd::net
