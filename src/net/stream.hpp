#pragma once
// The transport of one connection: all that a session does to its socket, in the clear or by TLS. In the clear each step is the
// socket's own, and costs one comparison more.
#include "net/tls_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace openrd::net {

namespace asio = boost::asio;
// The executor by its type: the usual any_io_executor costs an indirection and an allocation at every step.
using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

class Stream {
  public:
    // `tls`: on that socket's descriptor; null: none.
    Stream(Socket socket, std::unique_ptr<TlsConnection> tls) : socket_(std::move(socket)), tls_(std::move(tls)) {
        ErrorCode ignored;  // a peer that is already gone shows at the first read
        socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        socket_.non_blocking(true, ignored);
    }

    bool tls() const { return tls_ != nullptr; }

    // The handler keeps the stream.
    template <class Handler> void async_read(std::span<char> room, Handler handler) {
        if (tls_) return read_tls(room, std::move(handler), false);
        socket_.async_read_some(asio::mutable_buffer(room.data(), room.size()), std::move(handler));
    }

    // What goes without waiting; asio::error::would_block when nothing does.
    std::size_t write_now(std::string_view bytes, ErrorCode& error) {
        if (tls_) return tls_->write(bytes, error);
        return socket_.write_some(asio::const_buffer(bytes.data(), bytes.size()), error);
    }

    // By TLS it only waits until write_now may go on, and says that nothing was written.
    template <class Handler> void async_write(std::string_view bytes, Handler handler) {
        if (tls_) return wait_tls([handler = std::move(handler)](const ErrorCode& error) mutable { handler(error, std::size_t{0}); });
        socket_.async_write_some(asio::const_buffer(bytes.data(), bytes.size()), std::move(handler));
    }

    // Whether bytes have arrived that nobody has read.
    bool readable() {
        ErrorCode ignored;
        return (tls_ && tls_->pending()) || socket_.available(ignored) > 0;
    }

    void shutdown_send() {
        ErrorCode ignored;
        if (tls_) tls_->finish();
        socket_.shutdown(Socket::shutdown_send, ignored);
    }

    void close() {
        ErrorCode ignored;
        if (tls_) tls_->close();
        socket_.close(ignored);
    }

  private:
    template <class Handler> void wait_tls(Handler handler) { socket_.async_wait(tls_->waits_for_room() ? Socket::wait_write : Socket::wait_read, std::move(handler)); }

    // `waited`: called by the loop, so that the handler may be called at once.
    template <class Handler> void read_tls(std::span<char> room, Handler handler, bool waited) {
        ErrorCode error;
        const auto count = tls_->read(room, error);
        if (error == asio::error::would_block) {
            wait_tls([this, room, handler = std::move(handler)](const ErrorCode& failure) mutable {
                if (failure) return handler(failure, std::size_t{0});
                read_tls(room, std::move(handler), true);
            });
        } else if (waited) {
            handler(error, count);
        } else {
            asio::post(socket_.get_executor(), [handler = std::move(handler), error, count]() mutable { handler(error, count); });
        }
    }

    Socket socket_;
    std::unique_ptr<TlsConnection> tls_;
};

}  // namespace openrd::net
