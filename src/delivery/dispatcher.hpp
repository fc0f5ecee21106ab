#pragma once
// Drains the outbox: takes what is due, gives it to a channel, writes down what became of it (verification.md 7.1).
//
// A message whose outcome is unknown is never repeated by the machine, unless the channel shows an id once only. Nothing is sent in
// the last minute of its code's life. A database that fails makes the dispatcher wait, never give up. Several dispatchers, of this
// and of other servers, may work on one outbox.
#include "base/clock.hpp"
#include "db/engine.hpp"
#include "delivery/breaker.hpp"
#include "delivery/channel.hpp"
#include "delivery/counters.hpp"
#include "delivery/lane.hpp"
#include "delivery/router.hpp"
#include "delivery/verdict.hpp"
#include "keys/ring.hpp"
#include "store/outbox.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace openrd::delivery {

struct DispatcherOptions {
    unsigned workers = 2;                      // threads of each channel
    std::int64_t keep_ms = 30 * base::day_ms;  // rows, from the end of their code's life; 0: for ever
    // Why nothing is sent to a phone any more; empty: nothing speaks against it. Asked for each queued message, in a transaction that
    // only reads.
    std::function<std::string(db::Transaction&, const Destination&, std::int64_t now_ms)> refuse = {};
    // A phone's owner has told a channel STOP: in the transaction that writes the refusal down.
    std::function<void(db::Transaction&, const Destination&, std::string_view channel, std::int64_t now_ms)> opted_out = {};
    Counters* counters = nullptr;  // outlives the dispatcher
};

// What an operator wants to know of a channel.
struct ChannelHealth {
    std::string name;
    Breaker::State breaker = Breaker::State::closed;
    int failures = 0;           // in a row
    std::int64_t until_ms = 0;  // open: when the next message is let through
    std::size_t pending = 0;    // claimed for it by this process
};
std::string_view name_of(Breaker::State state);
// openrd_channel_open and openrd_channel_pending in the text format of Prometheus.
void append_prometheus(std::string& out, const std::vector<ChannelHealth>& channels);

class Dispatcher {
  public:
    // All of them outlive the dispatcher.
    Dispatcher(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, Router router, DispatcherOptions options = {});
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;
    ~Dispatcher();  // stops it

    void start();
    // Finishes the messages under way, gives back what it has not begun with, and writes all of it down. May be started again.
    // When the database cannot take that, the leases run out and the messages are found as `sending`.
    void stop();

    // Something may be due: the clock was moved. A commit that touches the outbox says so by itself.
    void wake();
    // Waits until it has looked at the outbox, from now on, and nothing was due that could be done; or until it is stopped.
    void drained();

    std::vector<ChannelHealth> channels() const;
    // One sentence for each channel that takes nothing now.
    std::vector<std::string> troubles() const;

  private:
    struct Bell;
    struct Road;
    struct Step;

    void run(const std::stop_token& stop);
    bool pass();
    void collect();
    void plan(std::int64_t now_ms);
    std::vector<std::string> page(const store::DueAfter& after, std::int64_t now_ms, std::vector<store::Message>& messages);
    void consider(const store::Message& seen, const std::string& refused, std::int64_t now_ms);
    void consider_queued(const store::Message& seen, const std::string& refused, std::int64_t now_ms);
    void consider_unknown(const store::Message& seen, std::int64_t now_ms);
    void consider_lost(const store::Message& seen, std::int64_t now_ms);
    Road* choose(const store::Message& seen, const Destination& to, std::int64_t now_ms);
    void change(const store::Message& seen, store::MessageChange to);
    void claim(const store::Message& seen, Destination to, Road& road);
    void carry_out();
    void write(std::vector<Step>& steps, std::int64_t now_ms);
    void write_all(db::Transaction& tx, std::vector<Step>& steps, std::int64_t now_ms) const;
    void follow_up(Step& step);
    void report(const Step& step) const;
    void settle_last();
    void housekeep();
    void judge(std::int64_t now_ms);
    void sweep(std::int64_t now_ms);
    std::int64_t pause_ms();
    bool busy() const;
    void publish();
    Road* road_of(std::string_view channel);
    std::string_view channel_after(const Channel& used, const Destination& to) const;
    std::vector<Channel*> channels_for(const Destination& to) const;

    db::Engine& engine_;
    const keys::Ring& ring_;
    const base::Clock& clock_;
    const Router router_;
    const DispatcherOptions options_;
    const std::shared_ptr<Bell> bell_;  // the engine rings it, perhaps after the dispatcher is gone
    std::vector<std::unique_ptr<Road>> roads_;
    // Of the dispatcher's thread.
    std::vector<Step> held_;   // became of something, but not written down yet
    std::vector<Step> steps_;  // of this pass: first those that were held
    std::size_t settling_ = 0;
    std::map<std::string, std::int64_t, std::less<>> avoided_;  // rows that the database refuses to change, until (monotonic)
    store::DueAfter scan_from_;
    bool blocked_ = false;  // something is due that cannot be done now
    std::int64_t judged_ms_ = 0, judged_to_ms_ = 0, swept_ms_ = 0;
    std::string trouble_;  // as it was last logged
    mutable std::mutex published_mutex_;
    std::vector<ChannelHealth> published_;
    std::jthread thread_;
};

}  // namespace openrd::delivery
