#include "delivery/verdict.hpp"

#include <algorithm>
#include <array>

namespace openrd::delivery {
namespace {

constexpr std::size_t longest_ref = 128, longest_code = 64;
constexpr std::array<std::int64_t, 4> back_off_ms{0, 2 * base::second_ms, 8 * base::second_ms, 30 * base::second_ms};
// Between two questions about an unknown message.
constexpr std::int64_t shortest_question_ms = 2 * base::second_ms, longest_question_ms = 30 * base::second_ms;

store::MessageChange unchanged(const store::Message& m) {
    return {.state = m.state,
            .kind = {},
            .channel = m.channel,
            .not_before_ms = m.not_before_ms,
            .tries = m.tries,
            .repeats = m.repeats,
            .provider_ref = m.provider_ref,
            .provider_code = m.provider_code,
            .segments = m.segments};
}

store::MessageChange moved(const store::Message& m, std::string_view state, std::string_view kind) {
    auto change = unchanged(m);
    change.state = state;
    change.kind = kind;
    return change;
}

// With what the channel said. A code of its own that is empty is the kind of its answer: the row explains itself.
store::MessageChange heard(const store::Message& m, const SendResult& result, std::string_view state) {
    auto change = moved(m, state, state);
    change.provider_ref = printable(result.provider_ref, longest_ref);
    change.provider_code = printable(result.provider_code, longest_code);
    if (change.provider_code.empty() && result.outcome != Sent::accepted) change.provider_code = name_of(result.outcome);
    if (result.outcome == Sent::accepted) change.segments = result.segments;
    return change;
}

// Queued once more, if that is in time.
store::MessageChange again(const store::Message& m, const SendResult& result, const Circumstances& c) {
    auto change = heard(m, result, store::message_queued);
    auto wait_ms = back_off_ms[static_cast<std::size_t>(std::clamp<std::int64_t>(m.tries - 1, 0, std::ssize(back_off_ms) - 1))];
    wait_ms += static_cast<std::int64_t>(static_cast<double>(wait_ms / 4) * c.jitter);
    const auto told_ms = std::max(wait_ms, result.retry_after_ms.value_or(0));
    // Another channel need not wait for what this one asks for.
    const bool elsewhere = !c.next.empty() && (result.outcome == Sent::not_sent || result.outcome == Sent::channel_down ||
                                               (result.outcome == Sent::throttled && c.now_ms + told_ms >= deadline_ms(m)));
    if (elsewhere) change.channel = c.next;
    change.not_before_ms = c.now_ms + (elsewhere ? wait_ms : told_ms);
    if (change.not_before_ms >= deadline_ms(m)) change.state = change.kind = store::message_expired;
    return change;
}

}  // namespace

store::MessageChange after_send(const store::Message& claimed, const SendResult& result, const Circumstances& c) {
    switch (result.outcome) {
        case Sent::accepted:
            return heard(claimed, result, store::message_accepted);
        case Sent::rejected:
            return heard(claimed, result, store::message_rejected);
        case Sent::not_sent:
        case Sent::throttled:
        case Sent::channel_down:
            return again(claimed, result, c);
        case Sent::unknown:
            break;
    }
    if (c.repeatable) return again(claimed, result, c);
    auto change = heard(claimed, result, store::message_unknown);
    change.not_before_ms = c.now_ms;  // the channel is asked at once
    return change;
}

store::MessageChange after_question(const store::Message& claimed, const std::optional<SendResult>& answer, const Circumstances& c) {
    if (!answer || answer->outcome == Sent::unknown) {
        if (c.now_ms >= deadline_ms(claimed)) return moved(claimed, store::message_unknown_final, store::message_unknown_final);
        auto change = unchanged(claimed);
        change.not_before_ms = c.now_ms + std::clamp((c.now_ms - claimed.created_at_ms) / 2, shortest_question_ms, longest_question_ms);
        change.not_before_ms = std::min(change.not_before_ms, deadline_ms(claimed));
        return change;
    }
    if (answer->outcome == Sent::accepted) return heard(claimed, *answer, store::message_accepted);
    if (answer->outcome == Sent::rejected) return heard(claimed, *answer, store::message_rejected);
    // It never came. Sent once more, and only once.
    if (claimed.repeats > 0) return heard(claimed, *answer, store::message_unknown_final);
    auto change = again(claimed, *answer, c);
    change.repeats = claimed.repeats + 1;
    return change;
}

store::MessageChange after_lost_lease(const store::Message& seen, const Circumstances& c) {
    auto change = moved(seen, c.repeatable ? store::message_queued : store::message_unknown, "lease_lost");
    change.provider_code = "lease_lost";
    change.not_before_ms = c.now_ms;
    return change;
}

store::MessageChange given_back(const store::Message& claimed, std::int64_t now_ms) {
    if (claimed.state == store::message_unknown) {
        auto change = unchanged(claimed);
        change.not_before_ms = now_ms;
        return change;
    }
    auto change = moved(claimed, store::message_queued, "given_back");
    change.not_before_ms = now_ms;
    change.tries = std::max<std::int64_t>(claimed.tries - 1, 0);
    return change;
}

store::MessageChange ended(const store::Message& seen, std::string_view state, std::string_view why) {
    auto change = moved(seen, state, state);
    if (!why.empty()) change.provider_code = why;
    return change;
}

std::string printable(std::string_view text, std::size_t most) {
    std::string result(text.substr(0, most));
    std::ranges::replace_if(
        result, [](char c) { return c < ' ' || c > '~'; }, '?');
    return result;
}

std::string_view name_of(Sent outcome) {
    static constexpr std::array<std::string_view, 6> names{"accepted", "rejected", "not_sent", "throttled", "unknown", "channel_down"};
    return names.at(static_cast<std::size_t>(outcome));
}

bool is_dead(std::string_view state) { return state == store::message_rejected || state == store::message_unknown_final || state == store::message_expired; }

}  // namespace openrd::delivery
