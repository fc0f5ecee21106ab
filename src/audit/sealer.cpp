#include "audit/sealer.hpp"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <utility>

namespace openrd::audit {
namespace {

using Time = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::chrono::seconds longest_stop{5};  // what is left is sealed at the next start
constexpr int overtaken_at_most = 100;

void report_on_stderr(std::string_view what) {
    std::string text;
    for (const char c : what) {
        if (c == '"' || c == '\\') text += '\\';
        text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    fmt::print(stderr, "{{\"level\":\"error\",\"message\":\"{}\"}}\n", text);
}

}  // namespace

struct Sealer::Signal {
    std::mutex mutex;
    std::condition_variable came;
    bool woken = false, stopping = false, reset = false;

    void raise(bool Signal::*flag) {
        const std::lock_guard lock(mutex);
        if (std::exchange(this->*flag, true)) return;
        came.notify_all();
    }
};

Sealer::Sealer(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, Options options)
    : engine_(engine), options_(std::move(options)), signal_(std::make_shared<Signal>()), lease_(engine, std::string(store::sealer_lease)),
      seal_(engine, ring, options_.origin, clock, Seal::entries_of_a_pass, engine.shared() ? &lease_ : nullptr) {
    engine_.on_commit(db::Topic::audit, [signal = signal_] { signal->raise(&Signal::woken); });
}

void Sealer::start() {
    if (thread_.joinable()) return;
    {
        const std::lock_guard lock(signal_->mutex);
        signal_->stopping = false;
        signal_->woken = true;  // for what a server that was killed has left
    }
    forget();
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "audit-sealer");
}

void Sealer::stop() {
    signal_->raise(&Signal::stopping);
    if (thread_.joinable()) thread_.join();
}

void Sealer::reset() { signal_->raise(&Signal::reset); }

void Sealer::run() {
    const milliseconds interval(std::max<std::int64_t>(options_.interval_ms, 1));
    Signal& signal = *signal_;
    // Not at once: a server that has just been started has something better to do.
    auto due = Time::now() + interval;
    std::unique_lock lock(signal.mutex);
    for (;;) {
        // What other processes write wakes nobody while this one is at rest: look once in an interval.
        signal.came.wait_for(lock, interval, [&] { return signal.stopping || signal.reset || signal.woken; });
        signal.came.wait_until(lock, due, [&] { return signal.stopping; });
        const bool last = signal.stopping;
        const bool begin_anew = std::exchange(signal.reset, false);
        signal.woken = false;
        lock.unlock();
        if (begin_anew) forget();
        if (!halted() && pass(last ? Until::all_is_sealed : Until::told_to_stop)) due = Time::now() + interval;
        engine_.idle();
        if (last && engine_.shared()) lease_.give_back();
        if (last) return;
        lock.lock();
    }
}

bool Sealer::pass(Until until) {
    const auto give_up = Time::now() + longest_stop;
    bool busy = false;
    try {
        // Another server seals: it is looked at again in an interval.
        if (engine_.shared() && !lease_.hold()) return true;
        for (int overtaken = 0; overtaken < overtaken_at_most;) {
            const auto result = seal_.once(options_.may_begin_anew ? Head{} : known_);
            known_ = seal_.head();
            sealed_.store(known_.size, std::memory_order_release);
            trouble_.clear();
            if (result == Seal::Result::nothing) break;
            busy = true;
            if (result == Seal::Result::overtaken) ++overtaken;
            if (until == Until::told_to_stop ? told_to_stop() : Time::now() > give_up) break;
        }
        return busy;
    } catch (const Unsealable& error) {
        // Said first: whoever sees that it halted finds the reason in the log.
        fail(fmt::format("the audit log is no longer sealed: {}", error.what()));
        halted_.store(true, std::memory_order_release);
    } catch (const std::exception& error) { fail(fmt::format("the audit log could not be sealed, it will be tried again: {}", error.what())); }
    return true;
}

void Sealer::fail(std::string_view what) {
    if (std::exchange(trouble_, std::string(what)) == what) return;
    if (options_.report) {
        options_.report(what);
    } else {
        report_on_stderr(what);
    }
}

void Sealer::forget() {
    known_ = {};
    trouble_.clear();
    sealed_.store(0, std::memory_order_release);
    halted_.store(false, std::memory_order_release);
}

bool Sealer::told_to_stop() const {
    const std::lock_guard lock(signal_->mutex);
    return signal_->stopping;
}

}  // namespace openrd::audit
