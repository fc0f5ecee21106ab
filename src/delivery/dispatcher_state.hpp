#pragma once
// Private to the dispatcher's files.
#include "delivery/dispatcher.hpp"

#include <chrono>
#include <condition_variable>
#include <utility>

namespace openrd::delivery {

// What wakes the thread, what it tells those who wait for it, and what the lanes bring.
struct Dispatcher::Bell {
    std::mutex mutex;
    std::condition_variable_any rung_or_passed;
    bool rung = false;
    bool running = false;
    std::uint64_t wanted = 0, passed = 0;
    std::vector<Finished> finished;

    void ring() {
        const std::lock_guard lock(mutex);
        rung = true;
        rung_or_passed.notify_all();
    }
    void bring(Finished message) {
        const std::lock_guard lock(mutex);
        finished.push_back(std::move(message));
        rung = true;
        rung_or_passed.notify_all();
    }
    std::vector<Finished> take() {
        const std::lock_guard lock(mutex);
        return std::exchange(finished, {});
    }
    // From now on the thread looks around: who rings later is heard after it.
    std::uint64_t begin_pass() {
        const std::lock_guard lock(mutex);
        rung = false;
        return wanted;
    }
    void end_pass(std::uint64_t pass) {
        const std::lock_guard lock(mutex);
        passed = pass;
        rung_or_passed.notify_all();
    }
    void wait(const std::stop_token& stop, std::int64_t ms) {
        std::unique_lock lock(mutex);
        rung_or_passed.wait_for(lock, stop, std::chrono::milliseconds(ms), [this] { return rung; });
    }
    // Whoever rings does not hurry this on.
    void pause(const std::stop_token& stop, std::int64_t ms) {
        std::unique_lock lock(mutex);
        rung_or_passed.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
    }
};

// A channel with what stands before it.
struct Dispatcher::Road {
    Road(Channel& channel, const keys::Ring& ring, const base::Clock& clock, unsigned workers, const std::shared_ptr<Bell>& bell)
        : name(channel.name()), lane(channel, ring, clock, workers, [bell](Finished finished) { bell->bring(std::move(finished)); }) {}

    std::size_t room() const {
        const auto free = lane.room();
        return claimed < free ? free - claimed : 0;
    }

    const std::string name;
    Lane lane;
    Breaker breaker;
    std::size_t claimed = 0;  // in this pass
};

// One change of a row, and what came of it.
struct Dispatcher::Step {
    enum class Kind : std::uint8_t { settle, change, claim };

    Kind kind = Kind::settle;
    store::Message message;   // to be settled: as it was claimed; otherwise as it was seen
    store::MessageChange to;  // to be settled or changed
    std::string attempt_id;   // to be claimed
    Destination destination;
    Road* road = nullptr;
    std::string_view outcome;  // what the channel said; empty: nothing
    bool opted_out = false;    // and that the phone's owner wants nothing

    bool won = false;       // it was still as it was seen
    bool hopeless = false;  // the database will not take it
    std::string state;      // that the row has now
};

}  // namespace openrd::delivery
