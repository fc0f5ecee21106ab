#include "operations/resource_directory/send_limits.hpp"

#include "api/faults.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "keys/ring.hpp"
#include "store/brakes.hpp"
#include "store/directory_limits.hpp"
#include "store/rates.hpp"
#include "store/suppressions.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

namespace openrd::operations::resource_directory {
namespace {

using api::Fault;

// A country's codes of longer ago say nothing about today.
constexpr std::int64_t sample_life_ms = 7 * base::day_ms;

using Limit = std::optional<std::int64_t>;  // nothing: none

struct Window {
    std::string bucket;
    Limit limit;
    std::int64_t size_ms;  // an hour, or a day from 00:00 UTC+8
    std::int64_t amount = 1;

    std::int64_t begin_ms(std::int64_t now_ms) const { return size_ms == base::day_ms ? base::day_of_utc8(now_ms) * base::day_ms - 8 * base::hour_ms : now_ms / size_ms * size_ms; }
    bool count(api::Call& call) const {
        const auto begin = begin_ms(call.now_ms);
        return store::count_in_window(call.transaction, bucket, begin, begin + size_ms, *limit, amount);
    }
};

std::int64_t seconds_until(std::int64_t at_ms, std::int64_t now_ms) { return (at_ms - now_ms + 999) / 1000; }

Fault full(const Window& w, std::int64_t now_ms) { return Fault(fault::send_limit_exceeded).after(seconds_until(w.begin_ms(now_ms) + w.size_ms, now_ms)); }

// Zero in the settings: no limit.
Limit set(std::int64_t value) { return value == 0 ? Limit() : Limit(value); }
Limit halved(std::int64_t value, bool half) { return half && value > 1 ? Limit(value / 2) : set(value); }
// What the operator allows this directory instead.
Limit own_or(const Limit& own, std::int64_t value) {
    if (!own) return set(value);
    return *own == store::unlimited ? Limit() : own;
}

store::DirectoryLimits own_limits(api::Call& call) { return store::find_directory_limits(call.transaction, call.caller.directory_id).value_or(store::DirectoryLimits()); }

// Buckets are named by blind indexes: a number is in no table in clear.
std::string phone_bucket(const api::Call& call, std::string_view kind, std::string_view e164) { return std::string(kind) + base::hex(call.ring.blind_index(e164)); }

void keep_limited(std::vector<Window>& windows) {
    std::erase_if(windows, [](const Window& w) { return !w.limit; });
    std::ranges::sort(windows, {}, &Window::bucket);  // one order everywhere, so that transactions cannot wait for each other in a circle
}

std::vector<Window> send_windows(api::Call& call, const SendTarget& target) {
    const auto& s = call.settings.strict;
    const auto& spend = call.settings.spend;
    const auto own = own_limits(call);
    const auto e164 = target.phone.reveal_e164();
    const std::string country(target.phone.calling_code());
    const auto by_phone = phone_bucket(call, "phone:", e164);
    const auto by_prefix = phone_bucket(call, "prefix:", e164.substr(0, e164.size() - 4));
    std::vector<Window> windows{
        {"account-hour:" + target.account_id, set(s.per_target_hour), base::hour_ms},
        {"account-day:" + target.account_id, set(s.per_target_day), base::day_ms},
        {"all-day", set(s.system_day), base::day_ms},
        {"caller-hour:" + call.caller.arn, set(s.per_caller_hour), base::hour_ms},
        {"country-hour:" + country, set(s.per_country_hour), base::hour_ms},
        {"directory-day:" + call.caller.directory_id, own_or(own.sends_per_day, s.per_directory_day), base::day_ms},
        {"directory-hour:" + call.caller.directory_id, own_or(own.sends_per_hour, s.per_directory_hour), base::hour_ms},
        {by_phone + ":day", set(s.per_phone_day), base::day_ms},
        {by_phone + ":hour", set(s.per_phone_hour), base::hour_ms},
        {by_prefix + ":day", halved(s.per_prefix_day, target.range_unknown), base::day_ms},
        {by_prefix + ":hour", halved(s.per_prefix_hour, target.range_unknown), base::hour_ms},
        {"source-hour:" + std::string(call.source_address), set(s.per_source_hour), base::hour_ms},
        {"spend-day", set(spend.budget_day_micros), base::day_ms, spend.price_of(country)},
    };
    keep_limited(windows);
    return windows;
}

std::vector<Window> guess_windows(api::Call& call, const phone::MobileNumber& phone) {
    const auto& s = call.settings.strict;
    std::vector<Window> windows{{"wrong-directory:" + call.caller.directory_id, own_or(own_limits(call).wrong_per_day, s.wrong_per_directory_day), base::day_ms},
                                {phone_bucket(call, "wrong-phone:", phone.reveal_e164()), set(s.wrong_per_phone_day), base::day_ms}};
    keep_limited(windows);
    return windows;
}

// The operator is to look at it: said once an hour, however often it refuses.
void page(std::atomic<std::int64_t>& said, std::string_view event, std::int64_t now_ms) {
    const auto hour = now_ms / base::hour_ms;
    if (said.exchange(hour, std::memory_order_relaxed) != hour) base::log::error(event);
}

void page_for(const Window& w, std::int64_t now_ms) {
    static std::atomic<std::int64_t> said_of_budget{0}, said_of_system{0};
    if (w.bucket == "spend-day") page(said_of_budget, "the day's budget for messages is spent", now_ms);
    if (w.bucket == "all-day") page(said_of_system, "the day's messages of the whole system are sent", now_ms);
}

}  // namespace

void check_brake(api::Call& call, const phone::MobileNumber& phone) {
    const auto& s = call.settings.brake;
    if (s.percent == 0) return;
    const std::string country(phone.calling_code());
    const auto brake = store::find_country_brake(call.transaction, country).value_or(store::CountryBrake());
    const auto refused = [&](std::int64_t until_ms) { return Fault(fault::send_limit_exceeded).after(seconds_until(until_ms, call.now_ms)); };
    if (brake.paused_until_ms > call.now_ms) throw refused(brake.paused_until_ms);
    const auto from_ms = std::max(brake.counted_from_ms, call.now_ms - sample_life_ms);
    const auto seen = store::count_redemption(call.transaction, country, from_ms, call.now_ms, s.latest);
    if (seen.codes < s.at_least || seen.redeemed * 100 >= seen.codes * s.percent) return;
    const auto until_ms = call.now_ms + s.pause_ms;
    call.keep([&] { store::pause_country(call.transaction, country, call.now_ms, until_ms); });
    base::log::error("a country is sent nothing: its codes are not redeemed", {{"calling_code", country}, {"codes", seen.codes}, {"redeemed", seen.redeemed}});
    throw refused(until_ms);
}

void count_send(api::Call& call, const SendTarget& target) {
    // Refused as a phone that has had its messages of the day: who asks does not learn that its owner said STOP.
    if (store::is_suppressed(call.transaction, call.ring.blind_indexes(target.phone.reveal_e164()), call.now_ms)) throw full({{}, {}, base::day_ms}, call.now_ms);
    for (const Window& w : send_windows(call, target)) {
        if (w.count(call)) continue;
        page_for(w, call.now_ms);
        throw full(w, call.now_ms);
    }
}

void note_code(api::Call& call, const phone::MobileNumber& phone, std::string_view verification_id, std::int64_t expires_at_ms) {
    if (call.settings.brake.percent == 0) return;
    store::insert_code_sample(call.transaction, phone.calling_code(), verification_id, call.now_ms, expires_at_ms, call.now_ms - sample_life_ms);
}

void note_redeemed(api::Call& call, const phone::MobileNumber& phone, std::string_view verification_id) {
    if (call.settings.brake.percent != 0) store::redeem_code_sample(call.transaction, phone.calling_code(), verification_id);
}

std::optional<Guess> count_guess(api::Call& call, const phone::MobileNumber& phone) {
    Guess guess;
    bool admitted = true;
    for (Window& w : guess_windows(call, phone)) {
        admitted = w.count(call) && admitted;
        guess.places.push_back({.bucket = std::move(w.bucket), .begin_ms = w.begin_ms(call.now_ms)});
    }
    return admitted ? std::optional(std::move(guess)) : std::nullopt;
}

void uncount_guess(api::Call& call, const Guess& guess) {
    for (const auto& place : guess.places) store::uncount_in_window(call.transaction, place.bucket, place.begin_ms);
}

}  // namespace openrd::operations::resource_directory
