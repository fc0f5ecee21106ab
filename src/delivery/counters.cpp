#include "delivery/counters.hpp"

#include <fmt/format.h>

#include <iterator>

namespace openrd::delivery {
namespace {

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

// Names of channels are the operator's: what ends a label early is left out.
std::string label(std::string_view text) {
    std::string result;
    for (const char c : text)
        if (c > ' ' && c <= '~' && c != '"' && c != '\\') result += c;
    return result;
}

void counters(std::string& out, std::string_view name, std::string_view help, std::string_view last, const std::map<Counters::Labelled, std::int64_t>& counts) {
    head(out, name, "counter", help);
    for (const auto& [labels, n] : counts) {
        const auto& [channel, country, what] = labels;
        fmt::format_to(std::back_inserter(out), "{}{{channel=\"{}\",country=\"{}\",{}=\"{}\"}} {}\n", name, label(channel), label(country), last, label(what), n);
    }
}

}  // namespace

void Counters::tried(std::string_view channel, std::string_view country, std::string_view outcome) {
    const std::lock_guard lock(mutex_);
    ++counts_.tries[{std::string(channel), std::string(country), std::string(outcome)}];
}

void Counters::became(std::string_view channel, std::string_view country, std::string_view state) {
    const std::lock_guard lock(mutex_);
    ++counts_.messages[{std::string(channel), std::string(country), std::string(state)}];
}

void Counters::delivered(std::string_view channel, std::string_view country, std::int64_t took_ms) {
    const std::lock_guard lock(mutex_);
    auto& times = counts_.times[{std::string(channel), std::string(country)}];
    for (std::size_t i = 0; i < delivery_seconds.size(); ++i)
        if (took_ms <= delivery_seconds.at(i) * 1000) ++times.at_most.at(i);
    ++times.count;
    times.sum_ms += took_ms;
}

void Counters::judged(std::string_view channel, std::string_view country, bool redeemed) {
    const std::lock_guard lock(mutex_);
    auto& conversion = counts_.conversions[{std::string(channel), std::string(country)}];
    ++conversion.sent;
    conversion.redeemed += redeemed ? 1 : 0;
}

Counters::Snapshot Counters::snapshot() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

void append_prometheus(std::string& out, const Counters::Snapshot& counts) {
    const auto to = std::back_inserter(out);
    counters(out, "openrd_message_tries_total", "What channels said to messages that were given to them.", "outcome", counts.tries);
    counters(out, "openrd_messages_total", "States that messages came to.", "state", counts.messages);
    head(out, "openrd_message_delivery_seconds", "histogram", "From the request to the phone, by the gateways' receipts.");
    for (const auto& [place, times] : counts.times) {
        const auto labels = fmt::format("channel=\"{}\",country=\"{}\"", label(place.first), label(place.second));
        for (std::size_t i = 0; i < delivery_seconds.size(); ++i)
            fmt::format_to(to, "openrd_message_delivery_seconds_bucket{{{},le=\"{}\"}} {}\n", labels, delivery_seconds.at(i), times.at_most.at(i));
        fmt::format_to(to, "openrd_message_delivery_seconds_bucket{{{},le=\"+Inf\"}} {}\n", labels, times.count);
        fmt::format_to(to, "openrd_message_delivery_seconds_sum{{{}}} {}.{:03}\n", labels, times.sum_ms / 1000, times.sum_ms % 1000);
        fmt::format_to(to, "openrd_message_delivery_seconds_count{{{}}} {}\n", labels, times.count);
    }
    head(out, "openrd_codes_sent_total", "counter", "Messages whose code's life is over.");
    for (const auto& [place, c] : counts.conversions)
        fmt::format_to(to, "openrd_codes_sent_total{{channel=\"{}\",country=\"{}\"}} {}\n", label(place.first), label(place.second), c.sent);
    head(out, "openrd_codes_redeemed_total", "counter", "Those of openrd_codes_sent_total whose code was redeemed.");
    for (const auto& [place, c] : counts.conversions)
        fmt::format_to(to, "openrd_codes_redeemed_total{{channel=\"{}\",country=\"{}\"}} {}\n", label(place.first), label(place.second), c.redeemed);
}

}  // namespace openrd::delivery
