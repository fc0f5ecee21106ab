// LookupEvents reads the caller's own audit log in the vendor's shape, newest first unless asked otherwise. An event is there as
// soon as its call is answered, sealed or not.
#include "api/faults.hpp"
#include "api/operation.hpp"
#include "base/time_text.hpp"
#include "keys/ring.hpp"
#include "store/audit_events.hpp"

#include <charconv>

namespace openrd::operations::action_trail {
namespace {

enum class Direction : std::uint8_t { backward, forward };
constexpr auto wire_names(Direction) { return api::names<Direction>({{Direction::backward, "BACKWARD"}, {Direction::forward, "FORWARD"}}); }

struct Attribute {
    std::string key, value;
};
constexpr api::Rule key_rule{
    .says = "ServiceName, EventName, User, EventId, ResourceType, ResourceName, EventRW or EventAccessKeyId",
    .one_of = {"ServiceName", "EventName", "User", "EventId", "ResourceType", "ResourceName", "EventRW", "EventAccessKeyId"},
    .refused_as = &fault::invalid_query_parameter,
};
constexpr api::Field<Attribute> attribute_parameters[] = {
    api::optional<&Attribute::key>("Key", key_rule),
    api::optional<&Attribute::value>("Value"),
};

struct Request {
    Direction direction = Direction::backward;
    std::optional<std::string> end_time;
    std::vector<Attribute> attributes;
    std::optional<std::string> max_results;
    std::string next_token;
    std::optional<std::string> start_time;
};

struct Answer {
    std::string end_time;
    std::vector<api::Json> events;
    std::optional<std::string> next_token;
    std::string start_time;
};

constexpr bool is_time(std::string_view text) { return text.size() == 20; }
constexpr api::Rule direction_rule{.says = "BACKWARD or FORWARD", .refused_as = &fault::invalid_query_parameter};
constexpr api::Rule max_results_rule{.says = "1 to 50", .length = {1, 2}, .alphabet = "0-9", .refused_as = &fault::invalid_query_parameter};
constexpr api::Rule next_token_rule{.says = "the NextToken of the last answer", .length = {0, 256}, .refused_as = &fault::invalid_query_parameter};
constexpr api::Rule start_rule{.says = "yyyy-MM-ddTHH:mm:ssZ", .holds = is_time, .refused_as = &fault::invalid_start_time};
constexpr api::Rule end_rule{.says = "yyyy-MM-ddTHH:mm:ssZ", .holds = is_time, .refused_as = &fault::invalid_end_time};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "LookupEvents",
    .summary = "Looks up recorded events of the caller's account.",
    .served_as = {api::trail_2020},
    .effect = api::Effect::read,
    .action = "actiontrail:LookupEvents",
    .resource = api::everything,
    .callers = api::Callers::any_account,
    .parameters{
        api::optional<&Request::direction>("Direction", direction_rule),
        api::optional<&Request::end_time>("EndTime", end_rule),
        api::optional<&Request::attributes>("LookupAttribute.N", attribute_parameters).at_most(2),
        api::optional<&Request::max_results>("MaxResults", max_results_rule),
        api::optional<&Request::next_token>("NextToken", next_token_rule),
        api::optional<&Request::start_time>("StartTime", start_rule),
    },
    .answer{
        api::field<&Answer::end_time>("EndTime"),
        api::field<&Answer::events>("Events[]"),
        api::field<&Answer::next_token>("NextToken"),
        api::field<&Answer::start_time>("StartTime"),
    },
    .faults = {fault::invalid_start_time, fault::invalid_end_time, fault::invalid_query_parameter, fault::invalid_parameter_combination},
    .run = run,
};

constexpr std::int64_t default_span_ms = 7 * base::day_ms, longest_look_back_ms = 90 * base::day_ms;
constexpr std::size_t default_results = 20, most_results = 50;

struct Span {
    std::int64_t from_ms, to_ms;
};
Span span_of(const Request& request, const api::Call& call) {
    if (request.start_time.has_value() != request.end_time.has_value()) throw operation.fault(fault::invalid_parameter_combination);
    // A whole second: what happened within the current one is included.
    if (!request.start_time) return {call.now_ms - default_span_ms, call.now_ms / 1000 * 1000 + 999};
    const auto from = base::parse_utc(*request.start_time), to = base::parse_utc(*request.end_time);
    if (!from || *from < call.now_ms - longest_look_back_ms) throw operation.fault(fault::invalid_start_time);
    if (!to || *to < *from) throw operation.fault(fault::invalid_end_time);
    return {*from, *to + 999};
}

std::size_t results_of(const Request& request) {
    if (!request.max_results) return default_results;
    std::size_t n = 0;
    std::from_chars(request.max_results->data(), request.max_results->data() + request.max_results->size(), n);  // digits, by its rule
    if (n < 1 || n > most_results) throw operation.fault(fault::invalid_query_parameter);
    return n;
}

// A token holds the span and the last event of the page before; the same filters and direction are required with it.
std::string token_belongs_to(const Request& request, const api::Call& call) {
    std::string what = "LookupEvents/" + call.caller.account_id + (request.direction == Direction::forward ? "/f" : "/b");
    for (const auto& a : request.attributes) what += '\n' + a.key + '\t' + a.value;
    return what;
}
std::string token_text(const Span& span, const store::EventPlace& place) {
    return std::to_string(span.from_ms) + ' ' + std::to_string(span.to_ms) + ' ' + std::to_string(place.at_ms) + ' ' + std::to_string(place.turn);
}
bool read_token(std::string_view text, Span& span, store::EventPlace& place) {
    for (std::int64_t* number : {&span.from_ms, &span.to_ms, &place.at_ms, &place.turn}) {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
        if (error != std::errc{}) return false;
        text.remove_prefix(std::min(text.size(), static_cast<std::size_t>(end - text.data()) + 1));
    }
    return true;
}

Answer run(const Request& request, api::Call& call) {
    Span span = span_of(request, call);
    const auto size = results_of(request);
    store::EventQuery query{.account_id = call.caller.account_id, .newest_first = request.direction == Direction::backward, .limit = static_cast<std::int64_t>(size) + 1};
    for (const auto& a : request.attributes) {
        if (a.key.empty()) throw operation.fault(fault::invalid_query_parameter);
        query.filters.push_back({a.key, a.value});
    }
    if (!request.next_token.empty()) {
        const auto opened = call.ring.open_page_token(request.next_token, token_belongs_to(request, call));
        store::EventPlace place;
        if (!opened || !read_token(*opened, span, place)) throw operation.fault(fault::invalid_query_parameter);
        query.beyond = place;
    }
    query.from_ms = span.from_ms;
    query.to_ms = span.to_ms;
    auto events = store::list_audit_events(call.transaction, query);
    Answer answer{.end_time = base::utc_seconds(span.to_ms), .start_time = base::utc_seconds(span.from_ms)};
    if (events.size() > size) {
        events.pop_back();
        answer.next_token = call.ring.page_token(token_text(span, {events.back().at_ms, events.back().turn}), token_belongs_to(request, call));
    }
    for (auto& event : events) answer.events.push_back({std::move(event.body)});
    return answer;
}

}  // namespace

extern constinit const api::AnyOperation lookup_events{operation};

}  // namespace openrd::operations::action_trail
