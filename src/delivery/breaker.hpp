#pragma once
// Keeps messages from a channel that does not work: after a failure that concerns all of them at once, or several in a row. Then it
// lets one through from time to time, and opens the way again when that one comes through. Not for many threads.
#include "base/clock.hpp"
#include "delivery/channel.hpp"

#include <algorithm>
#include <cstdint>

namespace openrd::delivery {

class Breaker {
  public:
    enum class State : std::uint8_t { closed, open, half_open };  // closed: messages pass

    static constexpr int failures_to_open = 5;
    static constexpr std::int64_t first_pause_ms = 30 * base::second_ms, longest_pause_ms = 5 * base::minute_ms;

    // Whether a message may be given to the channel now. Half open: one at a time.
    bool admits(std::int64_t now_ms) const {
        if (state_ == State::closed) return true;
        return state_ == State::half_open ? !probing_ : now_ms >= until_ms_;
    }
    // One is given to it.
    void begin(std::int64_t now_ms) {
        if (state_ == State::open && now_ms >= until_ms_) state_ = State::half_open;
        probing_ = state_ == State::half_open;
    }
    // It was taken back before it was begun with.
    void undo() { probing_ = false; }
    void report(Sent outcome, std::int64_t now_ms, std::optional<std::int64_t> retry_after_ms = {}) {
        probing_ = false;
        // What the channel refuses, it has understood: it works.
        if (outcome == Sent::accepted || outcome == Sent::rejected) return close();
        ++failures_;
        if (outcome == Sent::channel_down || state_ == State::half_open || failures_ >= failures_to_open) open(now_ms, retry_after_ms.value_or(0));
    }

    State state() const { return state_; }
    int failures() const { return failures_; }           // in a row
    std::int64_t until_ms() const { return until_ms_; }  // when the next one is let through

  private:
    void close() {
        state_ = State::closed;
        failures_ = 0;
        pause_ms_ = first_pause_ms;
    }
    void open(std::int64_t now_ms, std::int64_t at_least_ms) {
        // Those that were under way together are one failure.
        if (state_ == State::open) return;
        until_ms_ = now_ms + std::clamp(at_least_ms, pause_ms_, std::max(pause_ms_, longest_pause_ms));
        pause_ms_ = std::min(pause_ms_ * 2, longest_pause_ms);
        state_ = State::open;
    }

    State state_ = State::closed;
    bool probing_ = false;
    int failures_ = 0;
    std::int64_t pause_ms_ = first_pause_ms, until_ms_ = 0;
};

}  // namespace openrd::delivery
