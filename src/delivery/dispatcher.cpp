#include "delivery/dispatcher.hpp"

#include "base/identifiers.hpp"
#include "base/log.hpp"
#include "delivery/texts.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

namespace openrd::delivery {
namespace {

constexpr std::int64_t poll_ms = base::second_ms;
// Nothing is begun with so little left of its lease: a try takes up to ten seconds.
constexpr std::int64_t one_try_ms = 12 * base::second_ms;
constexpr std::array<std::int64_t, 4> back_off_ms{0, 2 * base::second_ms, 8 * base::second_ms, 30 * base::second_ms};

std::int64_t deadline_ms(const store::Message& message) { return message.expires_at_ms - useful_ms; }

// So that what failed together does not come back together.
std::int64_t up_to(std::int64_t most_ms) {
    const auto random = base::random_bytes(2);
    return most_ms * (static_cast<unsigned char>(random[0]) * 256 + static_cast<unsigned char>(random[1])) / 65'535;
}

std::string_view state_of(const Channel& used, Sent outcome) {
    switch (outcome) {
        case Sent::accepted:
            return store::message_accepted;
        case Sent::rejected:
            return store::message_rejected;
        case Sent::not_sent:
        case Sent::throttled:
        case Sent::channel_down:
            return store::message_queued;
        case Sent::unknown:
            break;
    }
    return used.repeatable() ? store::message_queued : store::message_unknown;
}

std::string_view name_of(Sent outcome) {
    static constexpr std::string_view names[] = {"accepted", "rejected", "not_sent", "throttled", "unknown", "channel_down"};
    return names[static_cast<std::size_t>(outcome)];
}

}  // namespace

// What wakes the thread, and what it tells those who wait for it.
struct Dispatcher::Bell {
    std::mutex mutex;
    std::condition_variable_any rung_or_passed;
    bool rung = false;
    bool running = false;
    std::uint64_t wanted = 0, passed = 0;

    void ring() {
        const std::lock_guard lock(mutex);
        rung = true;
        rung_or_passed.notify_all();
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

Dispatcher::Dispatcher(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, std::vector<Channel*> channels)
    : engine_(engine), ring_(ring), clock_(clock), channels_(std::move(channels)), bell_(std::make_shared<Bell>()) {
    engine_.on_commit(db::Topic::outbox, [bell = bell_] { bell->ring(); });
}

Dispatcher::~Dispatcher() { stop(); }

void Dispatcher::start() {
    if (thread_.joinable()) return;
    {
        const std::lock_guard lock(bell_->mutex);
        bell_->running = true;
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void Dispatcher::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    const std::lock_guard lock(bell_->mutex);
    bell_->running = false;
    bell_->rung_or_passed.notify_all();
}

void Dispatcher::wake() { bell_->ring(); }

void Dispatcher::drained() {
    std::unique_lock lock(bell_->mutex);
    const auto pass = ++bell_->wanted;
    bell_->rung = true;
    bell_->rung_or_passed.notify_all();
    bell_->rung_or_passed.wait(lock, [&] { return bell_->passed >= pass || !bell_->running; });
}

void Dispatcher::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        const auto pass = bell_->begin_pass();
        auto pause_ms = poll_ms;
        try {
            deliver_due(stop);
            if (const auto due_ms = next_due_ms()) pause_ms = std::clamp<std::int64_t>(*due_ms - clock_.now_ms(), 1, poll_ms);
            if (!stop.stop_requested()) bell_->end_pass(pass);
            trouble_.clear();
            engine_.idle();
            bell_->wait(stop, pause_ms);
        } catch (const std::exception& error) {
            // Said once, not every second.
            if (std::exchange(trouble_, error.what()) != trouble_) base::log::error("outbox_unavailable", {{"reason", trouble_}});
            engine_.idle();
            bell_->pause(stop, poll_ms);
        }
    }
    settle_last();
    engine_.idle();
}

void Dispatcher::deliver_due(const std::stop_token& stop) {
    settle_held();
    while (!stop.stop_requested()) {
        const auto due_ms = next_due_ms();
        if (!due_ms || *due_ms > clock_.now_ms()) return;
        auto messages = claim();
        if (messages.empty()) return;
        const auto claimed_ns = base::monotonic_ns();
        for (auto& message : messages) {
            const bool late = base::monotonic_ns() - claimed_ns > (lease_ms - one_try_ms) * 1'000'000;
            held_.push_back(late || stop.stop_requested() ? given_back(std::move(message)) : deliver(std::move(message), stop));
        }
        settle_held();
    }
}

std::optional<std::int64_t> Dispatcher::next_due_ms() {
    std::optional<std::int64_t> due_ms;
    engine_.read([&](db::Transaction& tx) { due_ms = store::next_message_due_ms(tx); });
    return due_ms;
}

std::vector<store::Message> Dispatcher::claim() {
    std::vector<store::Message> messages;
    const auto now_ms = clock_.now_ms();
    engine_.write_and_wait([&](db::Transaction& tx) { messages = store::claim_messages(tx, now_ms, now_ms + lease_ms, claimed_at_once); });
    return messages;
}

// All of one batch in one write.
void Dispatcher::settle_held() {
    if (held_.empty()) return;
    const auto now_ms = clock_.now_ms();
    engine_.write_and_wait([&](db::Transaction& tx) {
        for (const auto& [message, state] : held_) store::settle_message(tx, message, state, now_ms);
    });
    held_.clear();
}

void Dispatcher::settle_last() {
    for (int tries = 0; tries < 3; ++tries) {
        try {
            settle_held();
            return;
        } catch (const std::exception& error) {
            base::log::error("outbox_unavailable", {{"reason", error.what()}, {"unsettled", static_cast<std::int64_t>(held_.size())}});
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
    }
    held_.clear();
}

Dispatcher::Settled Dispatcher::deliver(store::Message message, const std::stop_token& stop) {
    const auto now_ms = clock_.now_ms();
    const auto to = phone_of(message);
    if (!to) return refused(std::move(message), "unreadable");
    Channel* const channel = channel_for(message, *to);
    if (message.state == store::message_sending && !(channel && channel->repeatable())) {
        // Whoever took it before never said what became of it.
        const auto found = channel ? reconciled(*channel, message, *to) : std::nullopt;
        if (found) return settled(std::move(message), *channel, *found, *to);
        base::log::warning("message_unknown", {{"message_id", message.message_id}, {"channel", message.channel}});
        return {std::move(message), store::message_unknown};
    }
    if (now_ms >= deadline_ms(message)) return {std::move(message), store::message_expired};
    if (!channel) return refused(std::move(message), "no_channel");

    SendResult result;
    try {
        result =
            channel->send({.id = message.message_id,
                           .to = *to,
                           .account_id = message.account_id,
                           .purpose = message.purpose,
                           .template_id = std::string(template_of(message.purpose)),
                           .code = ring_.code(message.verification_id, message.account_id, message.purpose, to->reveal_e164(), static_cast<std::uint32_t>(message.code_key_id)),
                           .valid_for_ms = message.expires_at_ms - now_ms,
                           .now_ms = now_ms,
                           .expires_at_ms = message.expires_at_ms},
                          stop);
    } catch (const std::exception&) {
        result = {.outcome = Sent::unknown, .provider_ref = {}, .provider_code = "exception"};  // its words may be about the message
    }
    if (result.outcome == Sent::unknown && !channel->repeatable())
        if (auto found = reconciled(*channel, message, *to)) result = std::move(*found);
    return settled(std::move(message), *channel, result, *to);
}

std::optional<phone::MobileNumber> Dispatcher::phone_of(const store::Message& message) const {
    const auto number = ring_.open(keys::Purpose::outbox, message.phone_sealed, message.message_id);
    return number ? phone::MobileNumber::parse(number->reveal()) : std::nullopt;
}

std::optional<SendResult> Dispatcher::reconciled(Channel& channel, const store::Message& message, const phone::MobileNumber& to) {
    try {
        auto found = channel.reconcile(message.message_id, to, message.created_at_ms);
        if (found && found->outcome != Sent::unknown) return found;
    } catch (const std::exception&) { base::log::warning("reconciliation_failed", {{"message_id", message.message_id}, {"channel", channel.name()}}); }
    return {};
}

Dispatcher::Settled Dispatcher::settled(store::Message message, const Channel& used, const SendResult& result, const phone::MobileNumber& to) {
    message.channel = used.name();
    message.provider_ref = result.provider_ref;
    message.provider_code = result.provider_code;
    const auto state = state_of(used, result.outcome);
    if (state == store::message_accepted) return {std::move(message), state};
    base::log::warning("message_not_accepted",
                       {{"message_id", message.message_id}, {"channel", message.channel}, {"outcome", name_of(result.outcome)}, {"provider_code", message.provider_code}});
    return state == store::message_queued ? again(std::move(message), used, result, to) : Settled{std::move(message), state};
}

// Queued once more, if that is in time.
Dispatcher::Settled Dispatcher::again(store::Message message, const Channel& used, const SendResult& result, const phone::MobileNumber& to) {
    auto wait_ms = back_off_ms[static_cast<std::size_t>(std::clamp<std::int64_t>(message.tries, 0, std::ssize(back_off_ms) - 1))];
    wait_ms += up_to(wait_ms / 4);
    if (result.retry_after_ms) wait_ms = std::max(wait_ms, *result.retry_after_ms);
    message.not_before_ms = clock_.now_ms() + wait_ms;
    if (message.not_before_ms >= deadline_ms(message)) return {std::move(message), store::message_expired};
    if (result.outcome == Sent::not_sent || result.outcome == Sent::channel_down) message.channel = channel_after(used, to).name();
    return {std::move(message), store::message_queued};
}

Dispatcher::Settled Dispatcher::refused(store::Message message, std::string_view why) {
    message.provider_code = why;
    base::log::error("message_refused", {{"message_id", message.message_id}, {"reason", why}});
    return {std::move(message), store::message_rejected};
}

// Not begun: as it was before it was taken.
Dispatcher::Settled Dispatcher::given_back(store::Message message) {
    const auto state = message.state == store::message_sending ? store::message_sending : store::message_queued;
    return {std::move(message), state};
}

// The one that the row names, else the first that reaches the number. After a worker died it must be the one that he used, so
// that one follows from the row alone.
Channel* Dispatcher::channel_for(const store::Message& message, const phone::MobileNumber& to) const {
    const auto named = std::ranges::find(channels_, message.channel, [](const Channel* c) { return c->name(); });
    if (named != channels_.end() && (*named)->covers(to)) return *named;
    if (!message.channel.empty() && message.state == store::message_sending) return nullptr;
    const auto first = std::ranges::find_if(channels_, [&](const Channel* c) { return c->covers(to); });
    return first == channels_.end() ? nullptr : *first;
}

const Channel& Dispatcher::channel_after(const Channel& used, const phone::MobileNumber& to) const {
    const auto at = static_cast<std::size_t>(std::ranges::find(channels_, &used) - channels_.begin());
    for (std::size_t step = 1; step < channels_.size(); ++step)
        if (const Channel& next = *channels_[(at + step) % channels_.size()]; next.covers(to)) return next;
    return used;
}

}  // namespace openrd::delivery
