#include "sandbox/reset.hpp"

#include "base/log.hpp"
#include "sandbox/seed.hpp"
#include "store/everything.hpp"

#include <chrono>

namespace openrd::sandbox {
namespace {

// A request that is not through by then hangs, and a reset beside it would not be one.
constexpr std::int64_t longest_wait_ms = 10'000;
constexpr auto between_looks = std::chrono::milliseconds(1);

}  // namespace

Reset::Reset(Parts parts) : parts_(std::move(parts)), thread_([this] { run(); }) {}

void Reset::begin(Done done) {
    {
        const std::lock_guard lock(mutex_);
        if (!stopping_) {
            asked_.push_back(std::move(done));
            called_.notify_one();
            return;
        }
    }
    done("The server is stopping.");
}

void Reset::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        called_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
}

void Reset::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        called_.wait(lock, [this] { return stopping_ || !asked_.empty(); });
        if (asked_.empty()) return;
        // All who have asked by now are answered by one reset.
        std::vector<Done> asked;
        asked.swap(asked_);
        lock.unlock();
        const auto trouble = reset();
        for (const auto& done : asked) done(trouble);
        lock.lock();
    }
}

bool Reset::wait_for_requests() {
    const auto give_up_ns = base::monotonic_ns() + longest_wait_ms * 1'000'000;
    while (parts_.gate.passing() != 0 || parts_.in_flight() != 0) {
        if (base::monotonic_ns() > give_up_ns) return false;
        std::this_thread::sleep_for(between_looks);
    }
    return true;
}

std::string Reset::reset() {
    std::string trouble;
    parts_.gate.close();
    parts_.pause();
    try {
        if (wait_for_requests()) {
            parts_.engine.write_and_wait([this](db::Transaction& tx) {
                store::delete_everything(tx);
                seed(tx, parts_.ring, parts_.audit_origin, base::real_now_ms());
            });
            parts_.clock.reset();
            parts_.forget();
        } else {
            trouble = "A request is under way that does not end.";
        }
    } catch (const std::exception& error) {
        base::log::error("the sandbox was not reset", {{"reason", error.what()}});
        trouble = "The database did not take the reset.";
    }
    parts_.resume();
    parts_.gate.open();
    // The requests that waited have read on this thread.
    parts_.engine.idle();
    return trouble;
}

}  // namespace openrd::sandbox
