#include "net/io_thread.hpp"

#include "net/session.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace openrd::net {
namespace {

// Fine enough for the shortest limit, coarse enough to cost nothing.
std::int64_t tick_for(const base::HttpLimits& limits) {
    const auto shortest = std::min({limits.header_time_ms, limits.body_time_ms, limits.idle_time_ms, limits.write_time_ms});
    return std::clamp<std::int64_t>(shortest / 4, 10, 250);
}

}  // namespace

void Census::leave() {
    if (count_.fetch_sub(1, std::memory_order_relaxed) != 1) return;
    const std::lock_guard lock(mutex_);
    empty_.notify_all();
}

void Census::wait_until_empty(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    empty_.wait_until(lock, deadline, [this] { return count() == 0; });
}

void Mailbox::put(Session& session, std::optional<pipeline::Response> answer) {
    const std::lock_guard lock(mutex_);
    if (thread_ == nullptr) return;
    letters_.push_back({&session, std::move(answer)});
    if (letters_.size() == 1) asio::post(thread_->context_, [thread = thread_] { thread->deliver(); });
}

void Mailbox::close() {
    const std::lock_guard lock(mutex_);
    thread_ = nullptr;
    letters_.clear();
}

IoThread::IoThread(House& house) : house_(house), tick_ms_(tick_for(house.limits)), answers_(house.clock, house.limits.idle_time_ms), mailbox_(std::make_shared<Mailbox>(*this)) {}

IoThread::~IoThread() { mailbox_->close(); }

void IoThread::run() {
    while (!context_.stopped()) {
        try {
            context_.poll();
            if (context_.stopped()) break;
            house_.before_wait();
            context_.run_one();
        } catch (...) {
            // Sessions end by themselves when they fail; nothing else may end the thread that serves the others.
        }
    }
}

void IoThread::adopt(Socket socket, std::string source_address, const TlsContext* tls, bool refused) {
    if (std::this_thread::get_id() == thread_.get_id()) return open(std::move(socket), std::move(source_address), tls, refused);
    asio::post(context_,
               [this, tls, refused, socket = std::move(socket), address = std::move(source_address)]() mutable { open(std::move(socket), std::move(address), tls, refused); });
}

void IoThread::open(Socket socket, std::string source_address, const TlsContext* tls, bool refused) {
    boost::intrusive_ptr<Session> session;
    try {
        auto encrypted = tls ? tls->accept(socket.native_handle()) : nullptr;
        session.reset(new Session(*this, std::move(socket), std::move(encrypted), std::move(source_address)));
        arm_timer();
        session->place = sessions_.size();
        sessions_.push_back(session);
    } catch (...) {
        house_.census.leave();
        return;
    }
    if (refused) return session->refuse(pipeline::Malformed::overloaded);
    session->start();
    if (draining_) session->drain();
}

void IoThread::remove(Session& session) {
    const auto place = session.place;
    sessions_.back()->place = place;
    std::swap(sessions_[place], sessions_.back());
    sessions_.pop_back();
    house_.census.leave();
}

void IoThread::deliver() {
    {
        const std::lock_guard lock(mailbox_->mutex_);
        letters_.swap(mailbox_->letters_);
    }
    for (auto& letter : letters_) {
        const boost::intrusive_ptr session(letter.session);
        session->answered(std::move(letter.answer));
    }
    letters_.clear();
}

void IoThread::arm_timer() {
    if (timer_armed_) return;
    timer_armed_ = true;
    timer_.expires_after(std::chrono::milliseconds(tick_ms_));
    timer_.async_wait([this](const ErrorCode&) { on_tick(); });
}

void IoThread::on_tick() {
    timer_armed_ = false;
    ++tick_;
    // From the end: a session that closes leaves its place to the last one, which had its turn.
    for (std::size_t i = sessions_.size(); i-- > 0;) {
        const auto session = sessions_[i];
        session->tick(tick_);
    }
    if (!sessions_.empty()) arm_timer();
}

void IoThread::drain() {
    asio::post(context_, [this] {
        draining_ = true;
        for (std::size_t i = sessions_.size(); i-- > 0;) {
            const auto session = sessions_[i];
            session->drain();
        }
    });
}

void IoThread::stop() {
    asio::post(context_, [this] {
        mailbox_->close();
        while (!sessions_.empty()) {
            const auto session = sessions_.back();
            session->close();
        }
        context_.stop();
    });
}

void IoThread::join() {
    if (thread_.joinable()) thread_.join();
}

}  // namespace openrd::net
