#pragma once
// The thread that seals the audit log while a server runs: soon after the first entry, then at most once in an interval, so that an
// entry is sealed at most that much later. Entries of other processes are found within an interval, too.
//
// It fails closed. When the log cannot be sealed (audit/seal.hpp), or a checkpoint that this server has seen is gone, it says so
// once, as an error on stderr, and seals no more until it is started again or told to reset(): later checkpoints over a damaged log
// would look as if all was well. When only the database does not answer, it says so once and goes on trying.
#include "audit/seal.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace openrd::audit {

class Sealer {
  public:
    struct Options {
        std::string origin;
        std::int64_t interval_ms = 1000;  // of real time: a clock that was moved or frozen does not matter
        // Sandbox only: a log whose checkpoints are gone is a new log, not a damaged one.
        bool may_begin_anew = false;
        // Is told what went wrong, one line each, on the sealer's thread. Nothing: one line of JSON on stderr.
        std::function<void(std::string_view)> report;
    };

    // All three must outlive the sealer's thread. Throws std::invalid_argument for an origin that is not valid.
    Sealer(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, Options options);
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;
    ~Sealer() { stop(); }

    void start();
    // Seals what is there and ends the thread. Before the engine is closed.
    void stop();

    // The log was emptied: what was known of it is forgotten, what stopped the sealing too. On any thread, does not wait.
    void reset();

    // Entries that are known to be sealed.
    std::int64_t sealed() const { return sealed_.load(std::memory_order_acquire); }
    // Whether it seals no more; for the health page.
    bool halted() const { return halted_.load(std::memory_order_acquire); }

  private:
    struct Signal;  // shared with the engine, which cannot be told to call no more

    enum class Until : std::uint8_t { told_to_stop, all_is_sealed };
    void run();
    bool pass(Until until);  // false: there was nothing to do
    void fail(std::string_view what);
    void forget();
    bool told_to_stop() const;

    db::Engine& engine_;
    const Options options_;
    const std::shared_ptr<Signal> signal_;

    Lease lease_;  // of a shared database
    Seal seal_;
    Head known_;           // the newest checkpoint this server has seen
    std::string trouble_;  // said last, and still there
    std::atomic<std::int64_t> sealed_{0};
    std::atomic<bool> halted_{false};
    std::thread thread_;
};

}  // namespace openrd::audit
