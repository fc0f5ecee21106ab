#include "sandbox/clock_page.hpp"

#include "base/time_text.hpp"
#include "sandbox/answers.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <optional>
#include <string>

namespace openrd::sandbox {
namespace {

constexpr std::size_t longest_body = 4096;
// Four-digit years, with room for what is reckoned from now on: 1970-01-01 to 9999-01-01.
constexpr std::int64_t earliest_ms = 0, latest_ms = 253'370'764'800'000;

struct Change {
    std::optional<std::int64_t> now_ms;
    std::optional<std::int64_t> advance_ms;
    std::optional<bool> freeze;
};

// The change, or what is wrong with it.
struct Read {
    Change change;
    std::string problem;
};

std::string read_member(Change& change, std::string_view name, const boost::json::value& value) {
    const auto* text = value.if_string();
    const std::string_view word = text ? std::string_view(text->data(), text->size()) : std::string_view();
    if (name == "now") {
        change.now_ms = base::parse_utc(word);
        return change.now_ms ? "" : R"("now" is a time such as "2026-11-24T13:00:00Z".)";
    }
    if (name == "advance") {
        change.advance_ms = base::parse_duration_ms(word);
        return change.advance_ms ? "" : R"("advance" is a duration such as "90s", "11m" or "2h".)";
    }
    if (name == "freeze") {
        if (const auto* flag = value.if_bool()) change.freeze = *flag;
        return change.freeze ? "" : R"("freeze" is true or false.)";
    }
    return R"(The members are "now", "advance" and "freeze".)";
}

Read read_change(std::string_view body) {
    if (body.size() > longest_body) return {.problem = "The body is too long."};
    boost::json::error_code error;
    const auto json = boost::json::parse({body.data(), body.size()}, error, {}, {.max_depth = 4});
    const auto* object = error ? nullptr : json.if_object();
    if (!object) return {.problem = R"(The body is a JSON object such as {"advance":"11m"}.)"};
    if (object->empty()) return {.problem = R"(The body holds none of "now", "advance" and "freeze".)"};
    Read read;
    for (const auto& [name, value] : *object) {
        read.problem = read_member(read.change, {name.data(), name.size()}, value);
        if (!read.problem.empty()) return read;
    }
    if (read.change.now_ms && read.change.advance_ms) read.problem = R"("now" and "advance" exclude each other.)";
    return read;
}

}  // namespace

pipeline::Response ClockPage::get() const {
    const boost::json::object body{{"now", base::utc_milliseconds(clock_.now_ms())}, {"real", base::utc_milliseconds(base::real_now_ms())}, {"frozen", clock_.frozen()}};
    return json_answer(boost::json::serialize(body));
}

pipeline::Response ClockPage::put(std::string_view body) {
    const auto [change, trouble] = read_change(body);
    if (!trouble.empty()) return problem(400, trouble);
    {
        const std::lock_guard lock(changing_);
        std::optional<std::int64_t> target_ms = change.now_ms;
        if (change.advance_ms) {
            const auto now_ms = clock_.now_ms();
            // Far beyond the range either way: no sum that could overflow.
            if (*change.advance_ms > latest_ms || *change.advance_ms < -latest_ms) return problem(400, "The clock stays between 1970 and 9999.");
            target_ms = now_ms + *change.advance_ms;
        }
        if (target_ms && (*target_ms < earliest_ms || *target_ms > latest_ms)) return problem(400, "The clock stays between 1970 and 9999.");
        // A frozen clock is set to the very millisecond.
        if (change.freeze) clock_.freeze(*change.freeze);
        if (target_ms) clock_.set_ms(*target_ms);
    }
    moved_();
    return get();
}

pipeline::Response ClockPage::remove() {
    {
        const std::lock_guard lock(changing_);
        clock_.reset();
    }
    moved_();
    return empty_answer();
}

}  // namespace openrd::sandbox
