#pragma once
// One thread that serves connections: its io_context, its sessions, one coarse timer for all their time limits, and the
// mailbox through which answers come back from other threads. Internal to net/ (Asio).
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/network.hpp"
#include "net/answer.hpp"
#include "net/stream.hpp"
#include "net/tls.hpp"
#include "pipeline/handler.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace openrd::net {

class IoThread;
class Session;

// How many connections there are, on all threads.
class Census {
  public:
    void enter() { count_.fetch_add(1, std::memory_order_relaxed); }
    void leave();
    std::size_t count() const { return count_.load(std::memory_order_relaxed); }
    void wait_until_empty(std::chrono::steady_clock::time_point deadline);

  private:
    std::atomic<std::size_t> count_{0};
    std::mutex mutex_;
    std::condition_variable empty_;
};

// Takes answers on any thread, also when the I/O thread is gone. A batch of answers costs one post.
class Mailbox {
  public:
    explicit Mailbox(IoThread& thread) : thread_(&thread) {}

    // The session waits for it, so it is there as long as the mailbox is open. No answer: the request was dropped unanswered.
    void put(Session& session, std::optional<pipeline::Response> answer);
    void close();

  private:
    friend class IoThread;
    struct Letter {
        Session* session;
        std::optional<pipeline::Response> answer;
    };
    std::mutex mutex_;
    IoThread* thread_;  // null: closed
    std::vector<Letter> letters_;
};

class IoThread {
  public:
    struct House {  // what all threads share
        pipeline::Handler& handler;
        const base::Clock& clock;
        base::HttpLimits limits;
        std::vector<base::Network> trusted_proxies;
        std::function<void()> before_wait;
        Census census;
    };

    explicit IoThread(House& house);
    IoThread(const IoThread&) = delete;
    IoThread& operator=(const IoThread&) = delete;
    ~IoThread();

    void start() {
        thread_ = std::thread([this] { run(); });
    }

    // From any thread.
    asio::io_context& context() { return context_; }
    // A connection that the census has counted; `tls`: what it speaks, null: plain HTTP.
    void adopt(Socket socket, std::string source_address, const TlsContext* tls, bool refused);
    void drain();  // closes idle connections, and the others after their answer
    void stop();   // closes all and ends the thread
    void join();

    // For its sessions, on its thread.
    House& house() { return house_; }
    AnswerWriter& answers() { return answers_; }
    const std::shared_ptr<Mailbox>& mailbox() const { return mailbox_; }
    bool draining() const { return draining_; }
    // The tick after which at least limit_ms have passed; at most two ticks more.
    std::uint64_t deadline(std::int64_t limit_ms) const { return tick_ + static_cast<std::uint64_t>((limit_ms + tick_ms_ - 1) / tick_ms_) + 1; }
    void remove(Session& session);

  private:
    friend class Mailbox;

    void run();
    void open(Socket socket, std::string source_address, const TlsContext* tls, bool refused);
    void deliver();
    void arm_timer();
    void on_tick();

    House& house_;
    const std::int64_t tick_ms_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, asio::io_context::executor_type> timer_{context_};
    AnswerWriter answers_;
    std::shared_ptr<Mailbox> mailbox_;
    std::vector<Mailbox::Letter> letters_;  // being delivered
    std::vector<boost::intrusive_ptr<Session>> sessions_;
    std::uint64_t tick_ = 0;
    bool timer_armed_ = false;
    bool draining_ = false;
    std::thread thread_;
};

}  // namespace openrd::net
