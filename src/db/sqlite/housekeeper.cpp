#include "db/sqlite/housekeeper.hpp"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace openrd::db::sqlite {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds pause{50};
constexpr milliseconds longest_pause{1000};  // while nothing can be copied: a reader with an old snapshot, a full disk

}  // namespace

Housekeeper::Housekeeper(const std::string& path, bool durable, const LogLimits& limits, Changes& changes, Readers& readers)
    : connection_(std::make_unique<Connection>(path, Use::checkpointing, durable)), copy_from_(limits.copy_from), changes_(changes), readers_(readers), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "db-housekeeper");
}

Housekeeper::~Housekeeper() { stop(); }

void Housekeeper::committed(int frames) {
    if (frames < copy_from_ || to_copy_.exchange(true)) return;
    const std::lock_guard lock(mutex_);
    called_.notify_one();
}

void Housekeeper::wake(std::uint8_t topics) {
    const std::lock_guard lock(mutex_);
    to_wake_ |= topics;
    called_.notify_one();
}

void Housekeeper::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        called_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
    connection_.reset();
}

void Housekeeper::run() {
    std::unique_lock lock(mutex_);
    milliseconds wait = pause;
    while (!stopping_) {
        called_.wait(lock, [this] { return stopping_ || to_wake_ != 0 || to_copy_; });
        pass_on_wakes(lock);
        if (!to_copy_) continue;
        const auto until = std::chrono::steady_clock::now() + wait;
        while (!stopping_ && called_.wait_until(lock, until, [this] { return stopping_ || to_wake_ != 0; })) pass_on_wakes(lock);
        if (stopping_) return;
        to_copy_ = false;
        lock.unlock();
        const Connection::Copied copied = copy();
        lock.lock();
        if (!copied.done) to_copy_ = true;
        wait = copied.done || copied.progress ? pause : std::min(wait * 2, longest_pause);
    }
}

void Housekeeper::pass_on_wakes(std::unique_lock<std::mutex>& lock) {
    const std::uint8_t topics = std::exchange(to_wake_, std::uint8_t{0});
    if (topics == 0) return;
    lock.unlock();
    changes_.wake(topics);
    lock.lock();
}

Connection::Copied Housekeeper::copy() {
    const auto alone = no_checkpoint();
    readers_.let_go(snapshot_ns);
    return connection_->checkpoint();
}

}  // namespace openrd::db::sqlite
