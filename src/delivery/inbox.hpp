#pragma once
// The sandbox's phone of everybody: what would have been sent, to be read by whoever tests (sandbox.md 3). In memory only, the
// last 10,000 messages.
#include "delivery/channel.hpp"
#include "delivery/texts.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

namespace openrd::delivery {

struct InboxMessage {
    std::uint64_t sequence = 0;  // in order of arrival, from 1; given by the inbox
    std::string id, channel;
    phone::MobileNumber to;
    std::string account_id, purpose;
    base::Secret text, code;
    std::int64_t sent_at_ms = 0, expires_at_ms = 0;
};

// What is empty does not matter.
struct InboxQuery {
    std::string to;  // 65-81234567 or +6581234567; also with the + as a space or left out, as it comes out of a URL
    std::string account_id;
    std::string purpose;
    std::string after;  // `next` of an earlier answer, or a message's id: only what came later. One that it does not know: everything
};

// May be used from many threads.
class Inbox {
  public:
    using Done = std::function<void(std::vector<InboxMessage>)>;

    explicit Inbox(std::size_t capacity = 10'000, std::size_t most_waiting = 1'000);
    Inbox(const Inbox&) = delete;
    Inbox& operator=(const Inbox&) = delete;
    // Tells those who wait that nothing came.
    ~Inbox();

    // The message's sequence. An id that is there already keeps its own, and nothing changes.
    std::uint64_t deliver(InboxMessage message);

    // Newest first.
    std::vector<InboxMessage> find(const InboxQuery& query) const;

    // Calls `done` exactly once, with what find() gives: before it returns when something matches already (or limit_ms is not above
    // 0, or too many wait); otherwise when a message that matches arrives, or with nothing when limit_ms are over by a clock that
    // nobody sets. `done` runs on the thread that delivers or on the inbox's own: it must not block, and may call the inbox.
    // What it returns is for cancel(); 0: `done` was called.
    std::uint64_t wait(const InboxQuery& query, std::int64_t limit_ms, Done done);
    // Takes a waiting one back: its `done` is not called any more. False: it was called, or is being called now.
    bool cancel(std::uint64_t waiter);

    // Empties it. Those who wait go on waiting; the sequence goes on.
    void clear();

    std::size_t size() const;
    std::size_t waiting() const;

  private:
    struct Filter {
        std::string digits;  // of the number, calling code first
        std::string account_id, purpose;
        std::uint64_t after = 0;
        bool impossible = false;
        bool matches(const InboxMessage& message) const;
    };
    struct Waiter {
        Filter filter;
        std::int64_t until_ns;  // base::monotonic_ns
        Done done;
    };
    Filter filter_of(const InboxQuery& query) const;
    std::vector<InboxMessage> matching(const Filter& filter) const;
    void run_timer();

    const std::size_t capacity_, most_waiting_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<InboxMessage> messages_;  // oldest first
    std::unordered_set<std::string> ids_;
    std::uint64_t last_sequence_ = 0, last_waiter_ = 0;
    std::map<std::uint64_t, Waiter> waiters_;
    bool closing_ = false;
    std::thread timer_;
};

// {"messages":[{"id","channel","to","account_id","purpose","text","code","sent_at","expires_at"}],"next":"17"}. `next`: what to
// give as `after` to see only what came later; as it was given when there are no messages.
std::string inbox_json(const std::vector<InboxMessage>& messages, std::string_view after);

// The channel of the sandbox. Outlived by its inbox.
class InboxChannel : public Channel {
  public:
    explicit InboxChannel(Inbox& inbox, Texts texts = Texts()) : inbox_(inbox), texts_(std::move(texts)) {}

    std::string_view name() const override { return "inbox"; }
    bool covers(const phone::MobileNumber&) const override { return true; }
    bool covers_email() const override { return true; }
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override;
    bool repeatable() const override { return true; }

  private:
    Inbox& inbox_;
    Texts texts_;
};

}  // namespace openrd::delivery
