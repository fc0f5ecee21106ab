#pragma once
// TLS on one socket that does not block, by OpenSSL: each step says when it has to wait, and for what. The handshake is a part of the
// first read. Internal to net/; used on one thread.
#include <boost/system/error_code.hpp>

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace openrd::net {

using ErrorCode = boost::system::error_code;

class TlsConnection {
  public:
    explicit TlsConnection(SSL* ssl) : ssl_(ssl) {}

    // asio::error: would_block (wait for what waits_for_room says), eof (the peer has ended it properly), connection_reset (anything
    // else: nothing more can be read or written).
    std::size_t read(std::span<char> room, ErrorCode& error);
    // What was taken is with the kernel. After would_block the same bytes must come first again. Nothing goes before the handshake is
    // through: connection_reset.
    std::size_t write(std::string_view bytes, ErrorCode& error);
    // Whether the last step waits for room to write, and not for bytes to read.
    bool waits_for_room() const { return waits_for_room_; }
    // Whether decrypted bytes wait to be read.
    bool pending() const;
    // Tells the peer that nothing more will be written, as far as that goes without waiting.
    void finish();
    // finish(), and the descriptor is not touched any more: it may soon be another connection's.
    void close() {
        finish();
        broken_ = true;
    }

  private:
    std::size_t failed(int result, ErrorCode& error);

    struct Free {
        void operator()(SSL* ssl) const noexcept;
    };
    std::unique_ptr<SSL, Free> ssl_;
    bool waits_for_room_ = false;
    bool broken_ = false;
    bool finished_ = false;
};

}  // namespace openrd::net
