#include "net/session.hpp"

#include "net/forwarded.hpp"
#include "net/io_thread.hpp"

#include <atomic>

namespace openrd::net {
namespace {

using pipeline::Malformed;

// More than a signed request usually has: one recv brings it whole.
constexpr std::size_t usual_request_bytes = 8 * 1024;
constexpr std::size_t least_room = 1024;
// What a buffer may keep between two requests.
constexpr std::size_t kept_bytes = 64 * 1024;
// A client that is still sending when its connection closes would lose the answer to a reset: what it sends is read and
// thrown away for a while.
constexpr std::int64_t linger_time_ms = 2 * base::second_ms;
constexpr std::size_t linger_bytes = 4 * 1024 * 1024;

}  // namespace

// All that a request's views point into. The session uses it again for the next request; the ticket keeps it when the
// session goes first.
struct Session::Exchange {
    explicit Exchange(std::string address) : source_address(std::move(address)) {}

    Buffer buffer{usual_request_bytes};
    std::string source_address;     // of the peer
    std::string forwarded_address;  // as its declared proxy says; of the request under way
    std::vector<pipeline::Header> headers;
    pipeline::Request request;
};

// The promise of one answer, held by the Done that the handler got, and kept when it is dropped.
class Session::Ticket {
  public:
    Ticket(Session& session, const std::shared_ptr<Exchange>& exchange, const std::shared_ptr<Mailbox>& mailbox) : session_(session), exchange_(exchange), mailbox_(mailbox) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() {
        try {
            give(std::nullopt);
        } catch (...) {
            // Out of memory: the connection stays open without an answer.
        }
    }

    void give(std::optional<pipeline::Response> answer) {
        if (given_.exchange(true, std::memory_order_acq_rel)) return;
        if (being_handled_ == &session_) {
            session_.take(std::move(answer));
        } else {
            mailbox_->put(session_, std::move(answer));
        }
    }

  private:
    Session& session_;  // there until it has the answer, or its mailbox is closed
    std::shared_ptr<Exchange> exchange_;
    std::shared_ptr<Mailbox> mailbox_;
    std::atomic<bool> given_{false};
};

thread_local Session* Session::being_handled_ = nullptr;

Session::Session(IoThread& thread, Socket socket, std::unique_ptr<TlsConnection> tls, std::string source_address)
    : thread_(thread), stream_(std::move(socket), std::move(tls)), exchange_(std::make_shared<Exchange>(std::move(source_address))), head_(thread.house().limits),
      chunked_(thread.house().limits) {
    const auto& proxies = thread.house().trusted_proxies;
    if (proxies.empty()) return;
    const auto peer = base::Address::parse(exchange_->source_address);
    if (peer && is_trusted(*peer, proxies)) proxy_ = peer;
}

Session::~Session() = default;

// Whatever goes wrong in one connection (no memory, most likely) ends that connection only.
template <class Step> void Session::guarded(Step step) {
    try {
        step();
    } catch (...) { close(); }
}

void Session::start() {
    guarded([this] {
        deadline_ = thread_.deadline(thread_.house().limits.header_time_ms);
        advance();
    });
}

// Goes on until it has to wait for the client or for the handler.
void Session::advance() {
    while (true) {
        if (stage_ == Stage::head && !read_head()) return;
        if (stage_ == Stage::body && !read_body()) return;
        if (stage_ == Stage::handling && !taken_ && !handle()) return;
        if (!send()) return;
    }
}

bool Session::read_head() {
    auto& buffer = exchange_->buffer;
    if (buffer.empty()) {
        read(least_room);
        return false;
    }
    switch (head_.read(buffer.data(), buffer.size())) {
        case Progress::complete:
            return begin_body();
        case Progress::refused:
            refuse(head_.problem());
            return false;
        case Progress::more:
            break;
    }
    if (!std::exchange(begun_, true)) deadline_ = thread_.deadline(thread_.house().limits.header_time_ms);
    read(least_room);
    return false;
}

bool Session::begin_body() {
    const Head& head = head_.head();
    stage_ = Stage::body;
    chunked_.begin();
    deadline_ = thread_.deadline(thread_.house().limits.body_time_ms);
    if (head.expects_continue && (head.chunked || head.content_length > 0) && exchange_->buffer.size() == head.size) send_continue();
    return stage_ == Stage::body;
}

void Session::send_continue() {
    constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
    ErrorCode error;
    // Nothing is under way to this client: if these few bytes do not go at once, it is not there.
    if (stream_.write_now(line, error) != line.size()) close();
}

bool Session::read_body() {
    const Head& head = head_.head();
    auto& buffer = exchange_->buffer;
    std::size_t body_size = static_cast<std::size_t>(head.content_length);
    if (head.chunked) {
        std::size_t size = buffer.size() - head.size;
        const auto progress = chunked_.read(buffer.data() + head.size, size);
        if (progress == Progress::refused) {
            refuse(chunked_.problem());
            return false;
        }
        buffer.keep_front(head.size + size);
        if (progress == Progress::more) {
            read(least_room);
            return false;
        }
        body_size = chunked_.body_size();
    } else if (buffer.size() < head.size + body_size) {
        // Never more room than twice what has arrived: a length is only a claim.
        read(std::min(head.size + body_size - buffer.size(), std::max(buffer.size(), least_room)));
        return false;
    }
    consumed_ = head.size + body_size;
    stage_ = Stage::handling;
    taken_ = false;
    return true;
}

// False when the answer comes later.
bool Session::handle() {
    const Head& head = head_.head();
    Exchange& exchange = *exchange_;
    const char* bytes = exchange.buffer.data();
    exchange.headers.clear();
    for (const auto& line : head.lines) exchange.headers.push_back({line.name.of(bytes), line.value.of(bytes)});
    exchange.request = {
        .method = head.method.of(bytes),
        .target = head.target.of(bytes),
        .body = {bytes + head.size, consumed_ - head.size},
        .headers = exchange.headers,
        .source_address = exchange.source_address,
        .tls = stream_.tls(),
    };
    if (proxy_) find_origin();
    deadline_ = never;
    auto ticket = std::make_shared<Ticket>(*this, exchange_, thread_.mailbox());
    being_handled_ = this;
    try {
        thread_.house().handler.handle(exchange.request, [ticket = std::move(ticket)](pipeline::Response response) { ticket->give(std::move(response)); });
    } catch (...) {
        // The handler answers its own failures. If it did not, its ticket is gone by now and the connection closes.
    }
    being_handled_ = nullptr;
    return taken_;
}

void Session::find_origin() {
    Exchange& exchange = *exchange_;
    auto origin = forwarded_origin(*proxy_, exchange.request.tls, exchange.headers, thread_.house().trusted_proxies);
    exchange.forwarded_address = std::move(origin.address);
    exchange.request.source_address = exchange.forwarded_address;
    exchange.request.tls = origin.tls;
}

void Session::take(std::optional<pipeline::Response> answer) {
    answer_ = std::move(answer);
    taken_ = true;
}

void Session::answered(std::optional<pipeline::Response> answer) {
    guarded([&] {
        take(std::move(answer));
        advance();
    });
}

bool Session::send() {
    if (!answer_) {  // dropped: whatever was done is not known here, so there is nothing true to say
        close();
        return false;
    }
    const auto answer = *std::exchange(answer_, std::nullopt);
    const bool wish = head_.head().keep_alive;
    abrupt_ = wish;  // the client does not know yet that this answer is the last
    write(answer, wish && !answer.close && !thread_.draining());
    return flush();
}

void Session::refuse(Malformed what) {
    guarded([&] {
        abrupt_ = true;
        write(pipeline::refusal(what, head_.head().host.of(exchange_->buffer.data())), false);
        flush();
    });
}

void Session::write(const pipeline::Response& response, bool keep_alive) {
    last_ = !keep_alive;
    const bool head_only = head_.head().method.of(exchange_->buffer.data()) == "HEAD";
    out_.clear();
    written_ = 0;
    thread_.answers().append(out_, response, {.keep_alive = keep_alive, .head_only = head_only});
    stage_ = Stage::writing;
}

// True when all of the answer went and the connection goes on.
bool Session::flush() {
    const auto rest = [this] { return std::string_view(out_).substr(written_); };
    while (written_ < out_.size()) {
        ErrorCode error;
        written_ += stream_.write_now(rest(), error);
        if (error == asio::error::would_block || error == asio::error::try_again) {
            deadline_ = thread_.deadline(thread_.house().limits.write_time_ms);
            stream_.async_write(rest(), [self = boost::intrusive_ptr(this)](const ErrorCode& failure, std::size_t count) { self->on_written(failure, count); });
            return false;
        }
        if (error) {
            close();
            return false;
        }
    }
    return finish_answer();
}

void Session::on_written(const ErrorCode& error, std::size_t count) {
    guarded([&] {
        if (stage_ == Stage::closed) return;
        if (error) return close();
        written_ += count;
        if (flush()) advance();
    });
}

bool Session::finish_answer() {
    if (out_.capacity() > kept_bytes) out_ = {};
    if (!last_) {
        next_request();
        return true;
    }
    if (abrupt_ || exchange_->buffer.size() > consumed_ || stream_.readable()) {
        linger();
    } else {
        close();
    }
    return false;
}

void Session::next_request() {
    const auto& limits = thread_.house().limits;
    auto& buffer = exchange_->buffer;
    buffer.drop_front(std::exchange(consumed_, 0));
    if (buffer.capacity() > kept_bytes) buffer.shrink(std::max(usual_request_bytes, buffer.size()));
    head_.begin();
    stage_ = Stage::head;
    begun_ = !buffer.empty();
    deadline_ = thread_.deadline(begun_ ? limits.header_time_ms : limits.idle_time_ms);
}

void Session::linger() {
    stream_.shutdown_send();
    stage_ = Stage::lingering;
    deadline_ = thread_.deadline(linger_time_ms);
    if (!reading_) read(least_room);
}

void Session::read(std::size_t wanted) {
    reading_ = true;
    auto& buffer = exchange_->buffer;
    if (stage_ == Stage::lingering) buffer.keep_front(0);
    stream_.async_read(buffer.room(wanted), [self = boost::intrusive_ptr(this)](const ErrorCode& error, std::size_t count) { self->on_read(error, count); });
}

void Session::on_read(const ErrorCode& error, std::size_t count) {
    guarded([&] {
        reading_ = false;
        auto& buffer = exchange_->buffer;
        switch (stage_) {
            case Stage::head:
            case Stage::body:
                if (error == asio::error::eof && !buffer.empty()) return refuse(Malformed::bad_request);  // cut off, but perhaps still listening
                if (error) return close();
                buffer.added(count);
                return advance();
            case Stage::lingering:
                lingered_ += count;
                if (error || lingered_ > linger_bytes) return close();
                return read(least_room);
            default:
                return;  // a refusal is being written
        }
    });
}

void Session::tick(std::uint64_t now) {
    if (now < deadline_) return;
    switch (stage_) {
        case Stage::head:
            return begun_ ? refuse(Malformed::too_slow) : close();
        case Stage::body:
            return refuse(Malformed::too_slow);
        default:
            return close();
    }
}

void Session::drain() {
    if (stage_ == Stage::head && exchange_->buffer.empty() && !stream_.readable()) close();
}

void Session::close() {
    if (stage_ == Stage::closed) return;
    stage_ = Stage::closed;
    stream_.close();
    thread_.remove(*this);
}

}  // namespace openrd::net
