// What is to be done with what is due.
#include "base/identifiers.hpp"
#include "base/log.hpp"
#include "delivery/dispatcher_state.hpp"
#include "store/outbox_log.hpp"

#include <algorithm>
#include <span>

namespace openrd::delivery {
namespace {

constexpr std::int64_t page_rows = 100;
constexpr std::int64_t most_rows = 5'000;  // looked at in one pass; the next one goes on behind them
constexpr std::size_t most_steps = 200;
constexpr std::int64_t judge_every_ms = 5 * base::second_ms, sweep_every_ms = base::minute_ms;
constexpr std::int64_t oldest_judged_ms = base::hour_ms;
constexpr std::int64_t swept_at_once = 500;

}  // namespace

void Dispatcher::plan(std::int64_t now_ms) {
    std::erase_if(avoided_, [now_ns = base::monotonic_ns()](const auto& row) { return row.second <= now_ns; });
    auto after = std::exchange(scan_from_, {});
    for (std::int64_t looked_at = page_rows;; looked_at += page_rows) {
        std::vector<store::Message> messages;
        const auto refused = page(after, now_ms, messages);
        for (std::size_t i = 0; i < messages.size(); ++i) consider(messages[i], refused[i], now_ms);
        if (std::ssize(messages) < page_rows) return;
        after = {.not_before_ms = messages.back().not_before_ms, .message_id = messages.back().message_id};
        if (steps_.size() >= most_steps || std::ranges::all_of(roads_, [](const auto& road) { return road->room() == 0; })) return;
        if (looked_at >= most_rows) {
            scan_from_ = after;
            blocked_ = true;
            return;
        }
    }
}

// For each message why it must not be sent; empty: it may.
std::vector<std::string> Dispatcher::page(const store::DueAfter& after, std::int64_t now_ms, std::vector<store::Message>& messages) {
    std::vector<std::string> refused;
    engine_.read([&](db::Transaction& tx) {
        messages = store::list_due_messages(tx, now_ms, after, page_rows);
        refused.assign(messages.size(), {});
        if (!options_.refuse) return;
        for (std::size_t i = 0; i < messages.size(); ++i)
            if (const auto to = messages[i].state == store::message_queued ? destination_of(ring_, messages[i]) : std::nullopt) refused[i] = options_.refuse(tx, *to, now_ms);
    });
    return refused;
}

void Dispatcher::consider(const store::Message& seen, const std::string& refused, std::int64_t now_ms) {
    if (avoided_.contains(seen.message_id)) {
        blocked_ = true;
        return;
    }
    // What is to be settled in this pass is not touched before.
    if (std::ranges::any_of(std::span(steps_).first(settling_),
                            [&](const Step& step) { return step.message.message_id == seen.message_id && step.message.account_id == seen.account_id; }))
        return;
    if (seen.state == store::message_sending) return consider_lost(seen, now_ms);
    if (seen.state == store::message_unknown) return consider_unknown(seen, now_ms);
    consider_queued(seen, refused, now_ms);
}

// Whoever took it never said what became of it.
void Dispatcher::consider_lost(const store::Message& seen, std::int64_t now_ms) {
    const auto* channel = router_.find(seen.channel);
    change(seen, after_lost_lease(seen, {.now_ms = now_ms, .repeatable = channel && channel->repeatable()}));
}

void Dispatcher::consider_unknown(const store::Message& seen, std::int64_t now_ms) {
    auto to = destination_of(ring_, seen);
    auto* road = road_of(seen.channel);
    if (!road || !to) {
        // There is nobody to ask; a receipt may come yet.
        auto waits = ended(seen, now_ms >= deadline_ms(seen) ? store::message_unknown_final : store::message_unknown, {});
        if (waits.state == store::message_unknown) waits.kind = "nobody_to_ask";
        waits.not_before_ms = deadline_ms(seen);
        return change(seen, std::move(waits));
    }
    claim(seen, *std::move(to), *road);
}

void Dispatcher::consider_queued(const store::Message& seen, const std::string& refused, std::int64_t now_ms) {
    if (now_ms >= deadline_ms(seen)) return change(seen, ended(seen, store::message_expired, seen.provider_code.empty() ? "not_sent_in_time" : ""));
    auto to = destination_of(ring_, seen);
    if (!to) return change(seen, ended(seen, store::message_rejected, "unreadable"));
    if (!refused.empty()) return change(seen, ended(seen, store::message_rejected, refused));
    if (channels_for(*to).empty()) return change(seen, ended(seen, store::message_rejected, "no_channel"));
    auto* road = choose(seen, *to, now_ms);
    if (!road) {
        blocked_ = true;
        return;
    }
    claim(seen, *std::move(to), *road);
}

// The channel that the row wishes for, or the one after it that takes messages now.
Dispatcher::Road* Dispatcher::choose(const store::Message& seen, const Destination& to, std::int64_t now_ms) {
    const auto channels = channels_for(to);
    const auto wished = std::ranges::find(channels, seen.channel, [](const Channel* channel) { return channel->name(); });
    const auto first = wished == channels.end() ? std::size_t{0} : static_cast<std::size_t>(wished - channels.begin());
    for (std::size_t i = 0; i < channels.size(); ++i) {
        auto* road = road_of(channels[(first + i) % channels.size()]->name());
        if (road && road->breaker.admits(now_ms)) return road;
    }
    return nullptr;
}

void Dispatcher::change(const store::Message& seen, store::MessageChange to) {
    auto destination = destination_of(ring_, seen).value_or(Destination{});
    steps_.push_back({.kind = Step::Kind::change, .message = seen, .to = std::move(to), .destination = std::move(destination)});
}

void Dispatcher::claim(const store::Message& seen, Destination to, Road& road) {
    if (road.room() == 0) {
        blocked_ = true;
        return;
    }
    ++road.claimed;
    if (seen.state == store::message_queued) road.breaker.begin(clock_.now_ms());
    steps_.push_back({.kind = Step::Kind::claim, .message = seen, .attempt_id = base::identifier("at-", 16), .destination = std::move(to), .road = &road});
}

Dispatcher::Road* Dispatcher::road_of(std::string_view channel) {
    const auto road = std::ranges::find_if(roads_, [&](const auto& r) { return r->name == channel; });
    return road == roads_.end() ? nullptr : road->get();
}

std::vector<Channel*> Dispatcher::channels_for(const Destination& to) const { return to.number.empty() ? router_.channels_for_email() : router_.channels_for(to.number); }

std::string_view Dispatcher::channel_after(const Channel& used, const Destination& to) const {
    const auto channels = channels_for(to);
    const auto at = std::ranges::find(channels, &used);
    if (at == channels.end() || channels.size() < 2) return {};
    return channels[(static_cast<std::size_t>(at - channels.begin()) + 1) % channels.size()]->name();
}

void Dispatcher::housekeep() {
    const auto now_ms = clock_.now_ms();
    try {
        // A clock that was moved back, too.
        if (now_ms - judged_ms_ >= judge_every_ms || now_ms < judged_ms_) judge(now_ms);
        if (now_ms - swept_ms_ >= sweep_every_ms || now_ms < swept_ms_) sweep(now_ms);
    } catch (const std::exception& error) { base::log::warning("outbox_not_tidied", {{"reason", error.what()}}); }
}

// Whether codes were redeemed is looked up when their life is over: nothing of it costs a Bind anything.
void Dispatcher::judge(std::int64_t now_ms) {
    judged_ms_ = now_ms;
    if (judged_to_ms_ == 0 || now_ms < judged_to_ms_) judged_to_ms_ = now_ms - oldest_judged_ms;
    std::vector<store::Message> messages;
    engine_.read([&](db::Transaction& tx) { messages = store::list_unjudged_messages(tx, judged_to_ms_, now_ms, page_rows); });
    if (messages.empty()) {
        judged_to_ms_ = now_ms;
        return;
    }
    std::ranges::sort(messages, {}, [](const store::Message& m) { return std::pair(m.account_id, m.message_id); });
    std::vector<std::optional<bool>> redeemed;
    engine_.write_and_wait([&](db::Transaction& tx) {
        redeemed.assign(messages.size(), {});
        for (std::size_t i = 0; i < messages.size(); ++i) redeemed[i] = store::judge_message(tx, messages[i]);
    });
    judged_ms_ = 0;  // there may be more
    if (!options_.counters) return;
    for (std::size_t i = 0; i < messages.size(); ++i)
        if (const auto to = redeemed[i] ? destination_of(ring_, messages[i]) : std::nullopt) options_.counters->judged(messages[i].channel, to->country(), *redeemed[i]);
}

void Dispatcher::sweep(std::int64_t now_ms) {
    swept_ms_ = now_ms;
    if (options_.keep_ms <= 0) return;
    std::optional<std::int64_t> oldest_ms;
    engine_.read([&](db::Transaction& tx) { oldest_ms = store::oldest_message_end_ms(tx); });
    if (!oldest_ms || *oldest_ms >= now_ms - options_.keep_ms) return;
    std::int64_t deleted = 0;
    engine_.write_and_wait([&](db::Transaction& tx) { deleted = store::delete_old_messages(tx, now_ms - options_.keep_ms, swept_at_once); });
    if (deleted == swept_at_once) swept_ms_ = 0;  // there may be more
}

}  // namespace openrd::delivery
