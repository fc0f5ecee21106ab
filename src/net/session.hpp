#pragma once
// One connection: reads a request, gives it to the handler, writes the answer, reads the next. One request at a time is
// under way; what the client sends meanwhile stays in the kernel. All of it happens on one I/O thread; only the answer may
// come from elsewhere, through the thread's mailbox. Internal to net/ (Asio).
#include "base/network.hpp"
#include "net/buffer.hpp"
#include "net/chunked.hpp"
#include "net/head.hpp"
#include "net/stream.hpp"
#include "pipeline/handler.hpp"

#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace openrd::net {

class IoThread;

class Session : public boost::intrusive_ref_counter<Session, boost::thread_unsafe_counter> {
  public:
    // `tls`: what the connection speaks; null: plain HTTP.
    Session(IoThread& thread, Socket socket, std::unique_ptr<TlsConnection> tls, std::string source_address);
    ~Session();

    void start();
    void refuse(pipeline::Malformed what);  // answers and closes; no request may be under way
    void answered(std::optional<pipeline::Response> answer);
    void tick(std::uint64_t now);
    void drain();
    void close();

    std::size_t place = 0;  // among the sessions of its thread

  private:
    struct Exchange;
    class Ticket;
    enum class Stage : std::uint8_t { head, body, handling, writing, lingering, closed };
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    template <class Step> void guarded(Step step);
    void advance();
    bool read_head();
    bool read_body();
    bool begin_body();
    void send_continue();
    void find_origin();
    bool handle();
    bool send();
    bool flush();
    bool finish_answer();
    void write(const pipeline::Response& response, bool keep_alive);
    void next_request();
    void linger();
    void read(std::size_t wanted);
    void on_read(const ErrorCode& error, std::size_t count);
    void on_written(const ErrorCode& error, std::size_t count);
    void take(std::optional<pipeline::Response> answer);

    static thread_local Session* being_handled_;

    IoThread& thread_;
    Stream stream_;
    std::optional<base::Address> proxy_;  // the peer, when it is in a declared network
    std::shared_ptr<Exchange> exchange_;
    HeadReader head_;
    ChunkedReader chunked_;
    std::optional<pipeline::Response> answer_;
    std::string out_;
    std::size_t written_ = 0;   // of out_
    std::size_t consumed_ = 0;  // bytes of the request under way, at the front of the buffer
    std::size_t lingered_ = 0;
    std::uint64_t deadline_ = never;
    Stage stage_ = Stage::head;
    bool begun_ = true;  // the header's time runs: the connection is new or the request's first byte is here
    bool reading_ = false;
    bool taken_ = false;   // the handler has answered, or has dropped the request
    bool last_ = false;    // the connection closes after this answer
    bool abrupt_ = false;  // and the client may still be sending
};

}  // namespace openrd::net
