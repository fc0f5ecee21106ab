#pragma once
// The transport of one connection: all that a session does to its socket. TLS goes in here.
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace openrd::net {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
// The executor by its type: the usual any_io_executor costs an indirection and an allocation at every step.
using Socket = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

class Stream {
  public:
    explicit Stream(Socket socket) : socket_(std::move(socket)) {
        ErrorCode ignored;  // a peer that is already gone shows at the first read
        socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
        socket_.non_blocking(true, ignored);
    }

    template <class Handler> void async_read(std::span<char> room, Handler handler) { socket_.async_read_some(asio::mutable_buffer(room.data(), room.size()), std::move(handler)); }

    // What goes without waiting; asio::error::would_block when nothing does.
    std::size_t write_now(std::string_view bytes, ErrorCode& error) { return socket_.write_some(asio::const_buffer(bytes.data(), bytes.size()), error); }

    template <class Handler> void async_write(std::string_view bytes, Handler handler) {
        socket_.async_write_some(asio::const_buffer(bytes.data(), bytes.size()), std::move(handler));
    }

    // Whether bytes have arrived that nobody has read.
    bool readable() {
        ErrorCode ignored;
        return socket_.available(ignored) > 0;
    }

    void shutdown_send() {
        ErrorCode ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }

    void close() {
        ErrorCode ignored;
        socket_.close(ignored);
    }

  private:
    Socket socket_;
};

}  // namespace openrd::net
