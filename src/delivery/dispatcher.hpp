#pragma once
// Drains the outbox: takes what is due, gives it to a channel, writes down what became of it (verification.md 7.1).
//
// A message whose outcome is unknown is never repeated by the machine, unless the channel shows an id once only. Nothing is sent in
// the last minute of its code's life. A database that fails makes the dispatcher wait, never give up.
#include "base/clock.hpp"
#include "db/engine.hpp"
#include "delivery/channel.hpp"
#include "keys/ring.hpp"
#include "store/outbox.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace openrd::delivery {

inline constexpr std::int64_t lease_ms = 30 * base::second_ms;
// A message is sent up to this long before its code expires: it has to arrive and be typed in.
inline constexpr std::int64_t useful_ms = 60 * base::second_ms;
inline constexpr std::int64_t claimed_at_once = 20;

class Dispatcher {
  public:
    // All of them outlive the dispatcher; the channels in order of preference, with different names.
    Dispatcher(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, std::vector<Channel*> channels);
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;
    ~Dispatcher();  // stops it

    void start();
    // Finishes the message under way, gives back what it has not begun with, and writes all of it down. May be started again.
    // When the database cannot take that, the leases run out and the messages are found as `sending`.
    void stop();

    // Something may be due: the clock was moved. A commit that touches the outbox says so by itself.
    void wake();
    // Waits until it has looked at the outbox, from now on, and nothing was due; or until it is stopped.
    void drained();

  private:
    struct Bell;
    // What is to be written about a message.
    struct Settled {
        store::Message message;
        std::string_view state;
    };

    void run(const std::stop_token& stop);
    void deliver_due(const std::stop_token& stop);
    std::optional<std::int64_t> next_due_ms();
    std::vector<store::Message> claim();
    void settle_held();
    void settle_last();
    Settled deliver(store::Message message, const std::stop_token& stop);
    Settled settled(store::Message message, const Channel& used, const SendResult& result, const phone::MobileNumber& to);
    Settled again(store::Message message, const Channel& used, const SendResult& result, const phone::MobileNumber& to);
    static Settled refused(store::Message message, std::string_view why);
    static Settled given_back(store::Message message);
    static std::optional<SendResult> reconciled(Channel& channel, const store::Message& message, const phone::MobileNumber& to);
    std::optional<phone::MobileNumber> phone_of(const store::Message& message) const;
    Channel* channel_for(const store::Message& message, const phone::MobileNumber& to) const;
    const Channel& channel_after(const Channel& used, const phone::MobileNumber& to) const;

    db::Engine& engine_;
    const keys::Ring& ring_;
    const base::Clock& clock_;
    const std::vector<Channel*> channels_;
    const std::shared_ptr<Bell> bell_;  // the engine rings it, perhaps after the dispatcher is gone
    std::vector<Settled> held_;         // sent, but not written down yet
    std::string trouble_;               // as it was last logged
    std::jthread thread_;
};

}  // namespace openrd::delivery
