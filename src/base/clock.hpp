#pragma once
// The time of the server. One clock for everything: a call reads it once. The sandbox can move it; in production it only
// follows the machine's, and never backwards (a wall clock that is set back is held until it catches up).
#include <atomic>
#include <cstdint>
#include <optional>

namespace openrd::base {

inline constexpr std::int64_t second_ms = 1000;
inline constexpr std::int64_t minute_ms = 60 * second_ms;
inline constexpr std::int64_t hour_ms = 60 * minute_ms;
inline constexpr std::int64_t day_ms = 24 * hour_ms;

// Milliseconds since 1970-01-01T00:00:00Z of the machine, held when it steps back.
std::int64_t real_now_ms();
// Nanoseconds of a clock that nobody sets: for durations.
std::int64_t monotonic_ns();

class Clock {
  public:
    // Milliseconds since 1970-01-01T00:00:00Z.
    std::int64_t now_ms() const;

    // Sandbox only. A clock that was set or advanced goes on from there, unless frozen.
    void set_ms(std::int64_t now_ms);
    void advance_ms(std::int64_t by_ms);
    void freeze(bool frozen);
    void reset();  // back to real time
    bool frozen() const { return frozen_at_ms_.load(std::memory_order_acquire) != running; }
    bool moved() const { return frozen() || offset_ms_.load(std::memory_order_acquire) != 0; }

  private:
    static constexpr std::int64_t running = INT64_MIN;
    std::atomic<std::int64_t> offset_ms_{0};
    std::atomic<std::int64_t> frozen_at_ms_{running};
};

}  // namespace openrd::base
