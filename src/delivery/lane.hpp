#pragma once
// The threads of one channel: what is slow there holds up nobody else. Given messages that were claimed for it, it tells what became
// of each.
#include "delivery/attempt.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace openrd::delivery {

struct Job {
    store::Message message;  // as it was claimed; `unknown`: the channel is asked about it
    Destination to;
    std::int64_t claimed_ns = 0;  // base::monotonic_ns
};

struct Finished {
    Job job;
    bool begun = false;  // false: its lease or its time was nearly over, or the lane was stopped
    std::optional<SendResult> result;
};

class Lane {
  public:
    // `finished` is called on the lane's threads; it must not block.
    Lane(Channel& channel, const keys::Ring& ring, const base::Clock& clock, unsigned workers, std::function<void(Finished)> finished);
    Lane(const Lane&) = delete;
    Lane& operator=(const Lane&) = delete;
    ~Lane() { stop(); }

    void start();
    // Tells those under way to come to an end.
    void request_stop();
    // Finishes the messages under way, and says of the rest that they were not begun. May be started again.
    void stop();

    void push(Job job);
    // How many more it would begin with within a few seconds, by how long the latest ones took.
    std::size_t room() const;
    std::size_t pending() const;  // waiting and under way

    Channel& channel() const { return channel_; }

  private:
    void run(const std::stop_token& stop);
    Finished work(Job job, const std::stop_token& stop);
    void measure(std::int64_t took_ns);

    Channel& channel_;
    const keys::Ring& ring_;
    const base::Clock& clock_;
    const unsigned workers_;
    const std::function<void(Finished)> finished_;
    mutable std::mutex mutex_;
    std::condition_variable_any pushed_;
    std::deque<Job> waiting_;
    std::size_t under_way_ = 0;
    std::int64_t usual_ns_ = 0;  // of one try, moving average
    std::vector<std::jthread> threads_;
};

}  // namespace openrd::delivery
