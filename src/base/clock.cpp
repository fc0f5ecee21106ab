#include "base/clock.hpp"

#include <time.h>

namespace openrd::base {

std::int64_t real_now_ms() {
    static std::atomic<std::int64_t> latest{0};
    timespec t{};
    clock_gettime(CLOCK_REALTIME, &t);
    const std::int64_t now = std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
    std::int64_t seen = latest.load(std::memory_order_relaxed);
    while (now > seen && !latest.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {}
    return now > seen ? now : seen;
}

std::int64_t monotonic_ns() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

std::int64_t Clock::now_ms() const {
    const auto frozen = frozen_at_ms_.load(std::memory_order_acquire);
    return frozen != running ? frozen : real_now_ms() + offset_ms_.load(std::memory_order_acquire);
}

void Clock::set_ms(std::int64_t now_ms) {
    if (frozen()) frozen_at_ms_.store(now_ms, std::memory_order_release);
    offset_ms_.store(now_ms - real_now_ms(), std::memory_order_release);
}

void Clock::advance_ms(std::int64_t by_ms) { set_ms(now_ms() + by_ms); }

void Clock::freeze(bool frozen) {
    if (frozen == this->frozen()) return;
    if (frozen) {
        frozen_at_ms_.store(now_ms(), std::memory_order_release);
    } else {
        offset_ms_.store(frozen_at_ms_.load(std::memory_order_acquire) - real_now_ms(), std::memory_order_release);
        frozen_at_ms_.store(running, std::memory_order_release);
    }
}

void Clock::reset() {
    offset_ms_.store(0, std::memory_order_release);
    frozen_at_ms_.store(running, std::memory_order_release);
}

}  // namespace openrd::base
