#include "delivery/inbox.hpp"

#include "base/clock.hpp"
#include "base/time_text.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace openrd::delivery {
namespace {

constexpr std::int64_t longest_wait_ms = base::day_ms;

// The number's digits, calling code first. Calling codes are prefix-free: the digits alone say which number it is. Nothing when the
// text is no number.
std::optional<std::string> digits_of(std::string_view text) {
    if (text.starts_with('+') || text.starts_with(' ')) text.remove_prefix(1);
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c >= '0' && c <= '9') digits += c;
        else if (c != '-' || i == 0 || i + 1 == text.size() || digits.size() != i) return {};
    }
    return digits.empty() ? std::nullopt : std::optional(std::move(digits));
}

std::optional<std::uint64_t> number_in(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// One listener that throws keeps nothing from the others.
void tell(const Inbox::Done& done, std::vector<InboxMessage> messages) {
    try {
        done(std::move(messages));
    } catch (...) {}
}

}  // namespace

Inbox::Inbox(std::size_t capacity, std::size_t most_waiting) : capacity_(std::max<std::size_t>(capacity, 1)), most_waiting_(most_waiting), timer_([this] { run_timer(); }) {}

Inbox::~Inbox() {
    std::map<std::uint64_t, Waiter> waiters;
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
        waiters.swap(waiters_);
        changed_.notify_one();
    }
    timer_.join();
    for (const auto& [id, waiter] : waiters) tell(waiter.done, {});
}

bool Inbox::Filter::matches(const InboxMessage& message) const {
    return !impossible && message.sequence > after && (account_id.empty() || message.account_id == account_id) && (purpose.empty() || message.purpose == purpose) &&
           (digits.empty() || (!message.to.empty() && message.to.reveal_e164().substr(1) == digits));
}

// With the lock.
Inbox::Filter Inbox::filter_of(const InboxQuery& query) const {
    Filter filter{.digits = {}, .account_id = query.account_id, .purpose = query.purpose};
    if (!query.to.empty()) {
        auto digits = digits_of(query.to);
        filter.impossible = !digits;
        filter.digits = std::move(digits).value_or("");
    }
    if (const auto sequence = number_in(query.after)) {
        filter.after = *sequence <= last_sequence_ ? *sequence : 0;  // one of an inbox before this one
    } else if (!query.after.empty()) {
        const auto known = std::ranges::find(messages_, query.after, &InboxMessage::id);
        if (known != messages_.end()) filter.after = known->sequence;
    }
    return filter;
}

// With the lock.
std::vector<InboxMessage> Inbox::matching(const Filter& filter) const {
    std::vector<InboxMessage> found;
    for (auto message = messages_.rbegin(); message != messages_.rend() && message->sequence > filter.after; ++message)
        if (filter.matches(*message)) found.push_back(*message);
    return found;
}

std::uint64_t Inbox::deliver(InboxMessage message) {
    std::vector<std::pair<Done, std::vector<InboxMessage>>> told;
    std::uint64_t sequence = 0;
    {
        const std::lock_guard lock(mutex_);
        if (!ids_.insert(message.id).second) return std::ranges::find(messages_, message.id, &InboxMessage::id)->sequence;
        sequence = message.sequence = ++last_sequence_;
        messages_.push_back(std::move(message));
        if (messages_.size() > capacity_) {
            ids_.erase(messages_.front().id);
            messages_.pop_front();
        }
        for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
            if (!waiter->second.filter.matches(messages_.back())) {
                ++waiter;
                continue;
            }
            told.emplace_back(std::move(waiter->second.done), matching(waiter->second.filter));
            waiter = waiters_.erase(waiter);
        }
    }
    for (auto& [done, found] : told) tell(done, std::move(found));
    return sequence;
}

std::vector<InboxMessage> Inbox::find(const InboxQuery& query) const {
    const std::lock_guard lock(mutex_);
    return matching(filter_of(query));
}

std::uint64_t Inbox::wait(const InboxQuery& query, std::int64_t limit_ms, Done done) {
    std::vector<InboxMessage> found;
    {
        const std::lock_guard lock(mutex_);
        auto filter = filter_of(query);
        found = matching(filter);
        if (found.empty() && limit_ms > 0 && waiters_.size() < most_waiting_ && !closing_) {
            const auto until_ns = base::monotonic_ns() + std::min(limit_ms, longest_wait_ms) * 1'000'000;
            waiters_.emplace(++last_waiter_, Waiter{std::move(filter), until_ns, std::move(done)});
            changed_.notify_one();
            return last_waiter_;
        }
    }
    tell(done, std::move(found));
    return 0;
}

bool Inbox::cancel(std::uint64_t waiter) {
    Done done;  // what it holds may call the inbox when it goes
    const std::lock_guard lock(mutex_);
    const auto at = waiters_.find(waiter);
    if (at == waiters_.end()) return false;
    done = std::move(at->second.done);
    waiters_.erase(at);
    return true;
}

void Inbox::clear() {
    std::deque<InboxMessage> gone;
    const std::lock_guard lock(mutex_);
    gone.swap(messages_);
    ids_.clear();
}

std::size_t Inbox::size() const {
    const std::lock_guard lock(mutex_);
    return messages_.size();
}

std::size_t Inbox::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiters_.size();
}

void Inbox::run_timer() {
    std::unique_lock lock(mutex_);
    while (!closing_) {
        const auto now_ns = base::monotonic_ns();
        std::vector<Done> over;
        std::int64_t next_ns = now_ns + longest_wait_ms * 1'000'000;
        for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
            if (waiter->second.until_ns > now_ns) {
                next_ns = std::min(next_ns, waiter->second.until_ns);
                ++waiter;
                continue;
            }
            over.push_back(std::move(waiter->second.done));
            waiter = waiters_.erase(waiter);
        }
        if (over.empty()) {
            changed_.wait_for(lock, std::chrono::nanoseconds(next_ns - now_ns));
            continue;
        }
        lock.unlock();
        for (const auto& done : over) tell(done, {});
        over.clear();
        lock.lock();
    }
}

std::string inbox_json(const std::vector<InboxMessage>& messages, std::string_view after) {
    std::string out;
    wire::JsonWriter json(out);
    json.begin_answer("");
    json.begin_list("messages", "");
    for (const InboxMessage& m : messages) {
        json.begin_item("");
        json.text("id", m.id);
        json.text("channel", m.channel);
        json.text("to", m.to.reveal());
        json.text("account_id", m.account_id);
        json.text("purpose", m.purpose);
        json.text("text", m.text.reveal());
        json.text("code", m.code.reveal());
        json.text("sent_at", base::utc_milliseconds(m.sent_at_ms));
        json.text("expires_at", base::utc_milliseconds(m.expires_at_ms));
        json.end_item("");
    }
    json.end_list("messages", "");
    json.text("next", messages.empty() ? after : std::string_view(std::to_string(messages.front().sequence)));
    json.end_answer("");
    return out;
}

SendResult InboxChannel::send(const OutgoingMessage& message, std::stop_token) {
    auto text = texts_.write(message);
    const auto sequence = inbox_.deliver({.sequence = 0,
                                          .id = message.id,
                                          .channel = std::string(name()),
                                          .to = message.to,
                                          .account_id = message.account_id,
                                          .purpose = message.purpose,
                                          .text = std::move(text.text),
                                          .code = message.code,
                                          .sent_at_ms = message.now_ms,
                                          .expires_at_ms = message.expires_at_ms});
    return {.outcome = Sent::accepted, .provider_ref = std::to_string(sequence), .provider_code = {}, .retry_after_ms = {}, .segments = text.segments};
}

}  // namespace openrd::delivery
