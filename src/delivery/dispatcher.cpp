#include "delivery/dispatcher.hpp"

#include "base/identifiers.hpp"
#include "base/log.hpp"
#include "delivery/dispatcher_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace openrd::delivery {
namespace {

constexpr std::int64_t poll_ms = base::second_ms;
// A row that the database refuses to change is left alone for so long.
constexpr std::int64_t avoid_ns = 30'000'000'000;

}  // namespace

Dispatcher::Dispatcher(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, Router router, DispatcherOptions options)
    : engine_(engine), ring_(ring), clock_(clock), router_(std::move(router)), options_(std::move(options)), bell_(std::make_shared<Bell>()) {
    for (auto* channel : router_.all()) roads_.push_back(std::make_unique<Road>(*channel, ring_, clock_, options_.workers, bell_));
    publish();
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
    for (const auto& road : roads_) road->lane.start();
    while (!stop.stop_requested()) {
        const auto number = bell_->begin_pass();
        try {
            const bool changed = pass();
            housekeep();
            publish();
            trouble_.clear();
            if (changed) continue;
            if (!busy() && !stop.stop_requested()) bell_->end_pass(number);
            const auto pause = pause_ms();
            engine_.idle();
            bell_->wait(stop, pause);
        } catch (const std::exception& error) {
            // Said once, not every second.
            if (std::exchange(trouble_, error.what()) != trouble_) base::log::error("outbox_unavailable", {{"reason", trouble_}});
            engine_.idle();
            bell_->pause(stop, poll_ms);
        }
    }
    for (const auto& road : roads_) road->lane.request_stop();
    for (const auto& road : roads_) road->lane.stop();
    settle_last();
    publish();
    engine_.idle();
}

// Whether anything was done.
bool Dispatcher::pass() {
    collect();
    blocked_ = false;
    for (const auto& road : roads_) road->claimed = 0;
    steps_ = std::exchange(held_, {});
    settling_ = steps_.size();
    try {
        plan(clock_.now_ms());
    } catch (...) {
        // What is known is not lost because nothing new can be read.
        std::erase_if(steps_, [](const Step& step) { return step.kind != Step::Kind::settle; });
        held_ = std::exchange(steps_, {});
        throw;
    }
    if (steps_.empty()) return false;
    carry_out();
    return true;
}

// What the lanes have brought becomes what is to be written.
void Dispatcher::collect() {
    for (auto& finished : bell_->take()) {
        auto& [job, begun, result] = finished;
        const auto now_ms = clock_.now_ms();
        Step step{.kind = Step::Kind::settle, .message = std::move(job.message), .destination = std::move(job.to)};
        step.road = road_of(step.message.channel);
        const bool question = step.message.state == store::message_unknown;
        const auto random = base::random_bytes(1);
        const Circumstances c{.now_ms = now_ms,
                              .repeatable = step.road && step.road->lane.channel().repeatable(),
                              .next = step.road ? channel_after(step.road->lane.channel(), step.destination) : std::string_view(),
                              .jitter = static_cast<double>(static_cast<unsigned char>(random[0])) / 255};
        if (result) step.outcome = name_of(result->outcome), step.opted_out = result->opted_out;
        if (begun && question) {
            step.to = after_question(step.message, result, c);
        } else if (begun && result) {
            step.to = after_send(step.message, *result, c);
            if (step.road) step.road->breaker.report(result->outcome, now_ms, result->retry_after_ms);
            if (options_.counters) options_.counters->tried(step.message.channel, step.destination.country(), step.outcome);
        } else {
            if (step.road && !question) step.road->breaker.undo();
            step.to = !question && now_ms >= deadline_ms(step.message) ? ended(step.message, store::message_expired, "not_sent_in_time") : given_back(step.message, now_ms);
        }
        held_.push_back(std::move(step));
    }
}

// All of one pass in one write. A step that the database will not take keeps nobody else from being written down.
void Dispatcher::carry_out() {
    const auto now_ms = clock_.now_ms();
    try {
        write(steps_, now_ms);
    } catch (...) {
        for (auto& step : steps_) {
            if (step.kind == Step::Kind::claim) {
                // Perhaps it was committed all the same; with this attempt nothing was sent.
                if (step.message.state == store::message_queued) step.road->breaker.undo();
                step.kind = Step::Kind::settle;
                step.message.attempt_id = std::move(step.attempt_id);
                step.message.channel = step.road->name;
                if (step.message.state == store::message_queued) step.message.state = store::message_sending, step.message.tries += 1;
                step.to = given_back(step.message, now_ms);
            }
            // After its code nobody wants to know.
            if (step.kind == Step::Kind::settle && now_ms < step.message.expires_at_ms + lease_ms) held_.push_back(std::move(step));
        }
        steps_.clear();
        throw;
    }
    for (auto& step : steps_) follow_up(step);
    steps_.clear();
}

void Dispatcher::write(std::vector<Step>& steps, std::int64_t now_ms) {
    // In the order of the keys, as everybody who changes several rows: two of them do not wait for each other.
    std::ranges::stable_sort(
        steps, [](const Step& a, const Step& b) { return std::tie(a.message.account_id, a.message.message_id) < std::tie(b.message.account_id, b.message.message_id); });
    const auto is_down = [](const std::exception& error) {
        const auto* trouble = dynamic_cast<const db::Error*>(&error);
        return trouble && trouble->trouble() == db::Trouble::unavailable;
    };
    try {
        engine_.write_and_wait([&](db::Transaction& tx) { write_all(tx, steps, now_ms); });
        return;
    } catch (const std::exception& error) {
        if (is_down(error)) throw;
    }
    for (auto& step : steps) {
        std::vector<Step> alone;
        alone.push_back(std::move(step));
        try {
            engine_.write_and_wait([&](db::Transaction& tx) { write_all(tx, alone, now_ms); });
        } catch (const std::exception& error) {
            step = std::move(alone.front());
            if (is_down(error)) throw;
            step.won = false;
            step.hopeless = true;
            base::log::error("message_cannot_be_changed", {{"message_id", step.message.message_id}, {"reason", error.what()}});
            continue;
        }
        step = std::move(alone.front());
    }
}

void Dispatcher::write_all(db::Transaction& tx, std::vector<Step>& steps, std::int64_t now_ms) const {
    for (auto& step : steps) {
        switch (step.kind) {
            case Step::Kind::settle: {
                auto state = store::settle_message(tx, step.message, step.to, now_ms);
                step.won = state.has_value();
                if (step.won && step.opted_out && options_.opted_out) options_.opted_out(tx, step.destination, step.message.channel, now_ms);
                step.state = std::move(state).value_or("");
                break;
            }
            case Step::Kind::change:
                step.won = store::change_message(tx, step.message, step.to, now_ms);
                step.state = step.to.state;
                break;
            case Step::Kind::claim:
                step.won = store::claim_message(tx, step.message, step.attempt_id, step.road->name, now_ms + lease_ms, now_ms);
                break;
        }
    }
}

void Dispatcher::follow_up(Step& step) {
    if (step.hopeless) avoided_[step.message.message_id] = base::monotonic_ns() + avoid_ns;
    if (step.kind != Step::Kind::claim) {
        if (step.won && !step.to.kind.empty()) report(step);
        return;
    }
    if (!step.won) {
        if (step.message.state == store::message_queued) step.road->breaker.undo();
        return;
    }
    auto message = std::move(step.message);
    message.attempt_id = std::move(step.attempt_id);
    if (message.state == store::message_queued) {
        message.state = store::message_sending;
        message.channel = step.road->name;
        message.tries += 1;
    }
    step.road->lane.push({.message = std::move(message), .to = std::move(step.destination), .claimed_ns = base::monotonic_ns()});
}

void Dispatcher::report(const Step& step) const {
    const auto& code = step.to.provider_code;
    if (options_.counters && step.state != store::message_queued) options_.counters->became(step.to.channel, step.destination.country(), step.state);
    if (options_.counters && step.state == store::message_delivered)
        options_.counters->delivered(step.to.channel, step.destination.country(), clock_.now_ms() - step.message.created_at_ms);
    if (is_dead(step.state)) base::log::error("message_dead", {{"message_id", step.message.message_id}, {"state", step.state}, {"channel", step.to.channel}, {"code", code}});
    else if (step.to.state != store::message_accepted && step.to.kind != "given_back")  // a receipt may have come before
        base::log::warning("message_not_accepted",
                           {{"message_id", step.message.message_id}, {"state", step.state}, {"channel", step.message.channel}, {"outcome", step.outcome}, {"provider_code", code}});
}

void Dispatcher::settle_last() {
    collect();
    for (int tries = 0; tries < 3 && !held_.empty(); ++tries) {
        try {
            steps_ = std::exchange(held_, {});
            carry_out();
            return;
        } catch (const std::exception& error) {
            base::log::error("outbox_unavailable", {{"reason", error.what()}, {"unsettled", static_cast<std::int64_t>(held_.size())}});
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
    }
    held_.clear();
}

// Messages are with the channels, or have come back from them.
bool Dispatcher::busy() const {
    // In this order: a lane tells before it is idle.
    if (std::ranges::any_of(roads_, [](const auto& road) { return road->lane.pending() > 0; })) return true;
    const std::lock_guard lock(bell_->mutex);
    return !bell_->finished.empty();
}

std::int64_t Dispatcher::pause_ms() {
    const auto now_ms = clock_.now_ms();
    if (blocked_) {
        auto until_ms = now_ms + poll_ms;
        for (const auto& road : roads_)
            if (road->breaker.state() == Breaker::State::open) until_ms = std::min(until_ms, road->breaker.until_ms());
        return std::clamp<std::int64_t>(until_ms - now_ms, 1, poll_ms);
    }
    std::optional<std::int64_t> due_ms;
    engine_.read([&](db::Transaction& tx) { due_ms = store::next_message_due_ms(tx); });
    return due_ms ? std::clamp<std::int64_t>(*due_ms - now_ms, 1, poll_ms) : poll_ms;
}

void Dispatcher::publish() {
    std::vector<ChannelHealth> now;
    now.reserve(roads_.size());
    for (const auto& road : roads_)
        now.push_back(
            {.name = road->name, .breaker = road->breaker.state(), .failures = road->breaker.failures(), .until_ms = road->breaker.until_ms(), .pending = road->lane.pending()});
    const std::lock_guard lock(published_mutex_);
    published_ = std::move(now);
}

std::vector<ChannelHealth> Dispatcher::channels() const {
    const std::lock_guard lock(published_mutex_);
    return published_;
}

std::vector<std::string> Dispatcher::troubles() const {
    std::vector<std::string> sentences;
    for (const auto& channel : channels())
        if (channel.breaker != Breaker::State::closed) sentences.push_back(fmt::format("The channel {} takes no messages.", channel.name));
    return sentences;
}

std::string_view name_of(Breaker::State state) {
    switch (state) {
        case Breaker::State::closed:
            return "closed";
        case Breaker::State::open:
            return "open";
        case Breaker::State::half_open:
            break;
    }
    return "half_open";
}

void append_prometheus(std::string& out, const std::vector<ChannelHealth>& channels) {
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "# HELP openrd_channel_open Whether the channel is kept from messages after failures.\n# TYPE openrd_channel_open gauge\n");
    for (const auto& channel : channels) fmt::format_to(to, "openrd_channel_open{{channel=\"{}\"}} {}\n", channel.name, channel.breaker == Breaker::State::closed ? 0 : 1);
    fmt::format_to(to, "# HELP openrd_channel_pending Messages that this server has claimed for the channel.\n# TYPE openrd_channel_pending gauge\n");
    for (const auto& channel : channels) fmt::format_to(to, "openrd_channel_pending{{channel=\"{}\"}} {}\n", channel.name, channel.pending);
}

}  // namespace openrd::delivery
