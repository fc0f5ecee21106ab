#include "db/postgres/pool.hpp"

#include <algorithm>
#include <utility>

namespace openrd::db::postgres {
namespace {

constexpr std::int64_t first_pause_ms = 100, longest_pause_ms = 2'000;
// A password costs the database milliseconds of work: all at once would wait for each other until they time out, when a server starts
// under load or comes back. Who waits takes a connection that somebody else has done with, too.
constexpr std::size_t most_opening = 4;

}  // namespace

Pool::Loan Pool::borrow(Connection::Time until) {
    std::unique_lock lock(mutex_);
    for (;;) {
        if (!idle_.empty()) {
            auto connection = std::move(idle_.back());
            idle_.pop_back();
            return {*this, std::move(connection)};
        }
        if (Terms::Time::now() < not_before_) throw Error(Trouble::unavailable, trouble_);
        if (made_ < most_ && opening_ < most_opening) break;
        const auto latest = until == Connection::Time::max() ? Terms::Time::now() + std::chrono::milliseconds(target_.deadline_ms) : until;
        if (returned_.wait_until(lock, latest) == std::cv_status::timeout && idle_.empty()) throw Error(Trouble::unavailable, "every connection to the database is in use");
    }
    ++made_, ++opening_;
    // While it does not answer one of us asks at a time, the others are told at once.
    if (pause_ms_ != 0) not_before_ = Terms::Time::now() + std::chrono::milliseconds(pause_ms_);
    lock.unlock();
    try {
        auto connection = std::make_unique<Connection>(target_);
        lock.lock();
        --opening_;
        pause_ms_ = 0;
        not_before_ = Connection::Time::min();
        returned_.notify_one();
        return {*this, std::move(connection)};
    } catch (const std::exception& error) {
        if (!lock.owns_lock()) lock.lock();
        --made_, --opening_;
        pause_ms_ = std::clamp(2 * pause_ms_, first_pause_ms, longest_pause_ms);
        not_before_ = Terms::Time::now() + std::chrono::milliseconds(pause_ms_);
        trouble_ = error.what();
        returned_.notify_all();  // they are told
        throw;
    }
}

void Pool::take_back(std::unique_ptr<Connection> connection) {
    std::unique_ptr<Connection> lost;  // closed without the lock
    const std::lock_guard lock(mutex_);
    if (connection->lost()) {
        lost = std::move(connection);
        --made_;
    } else {
        idle_.push_back(std::move(connection));
    }
    returned_.notify_one();
}

void Pool::forget_idle() {
    std::vector<std::unique_ptr<Connection>> gone;
    const std::lock_guard lock(mutex_);
    made_ -= idle_.size();
    gone.swap(idle_);
}

}  // namespace openrd::db::postgres
