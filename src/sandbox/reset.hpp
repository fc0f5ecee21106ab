#pragma once
// Back to the seed: database, inbox, outbox, limits, nonces, caches, a new audit log, the clock on real time. It waits for requests
// under way and for a commit, which no I/O thread may: so it has a thread of its own.
#include "base/clock.hpp"
#include "db/engine.hpp"
#include "keys/ring.hpp"
#include "sandbox/gate.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace openrd::sandbox {

class Reset {
  public:
    struct Parts {
        db::Engine& engine;
        const keys::Ring& ring;
        base::Clock& clock;
        Gate& gate;
        std::string audit_origin;
        std::function<std::size_t()> in_flight;  // API requests past the gate
        // What works on its own stops, forgets what it knew of the old database (unless there was no change), and goes on.
        std::function<void()> pause, forget, resume;
    };
    // Called on the reset's thread; empty: all of it is done. Otherwise why not: then nothing was changed.
    using Done = std::function<void(std::string trouble)>;

    explicit Reset(Parts parts);
    Reset(const Reset&) = delete;
    Reset& operator=(const Reset&) = delete;
    ~Reset() { stop(); }

    void begin(Done done);
    // Finishes what was begun; what comes later is refused.
    void stop();

  private:
    void run();
    std::string reset();
    bool wait_for_requests();

    Parts parts_;
    std::mutex mutex_;
    std::condition_variable called_;
    std::vector<Done> asked_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace openrd::sandbox
