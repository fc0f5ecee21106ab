#include "base/time_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <limits>

namespace openrd::base {
namespace {

struct Civil {
    int year;
    unsigned month, day, weekday;
    int hour, minute, second, millisecond;
};

Civil civil(std::int64_t ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> t{milliseconds{ms}};
    const auto day = floor<days>(t);
    const year_month_day date{day};
    const hh_mm_ss time{t - day};
    return {int{date.year()},
            unsigned{date.month()},
            unsigned{date.day()},
            weekday{day}.c_encoding(),
            static_cast<int>(time.hours().count()),
            static_cast<int>(time.minutes().count()),
            static_cast<int>(time.seconds().count()),
            static_cast<int>(time.subseconds().count())};
}

// The number that `digits` characters at `at` spell, or -1.
int number(std::string_view text, std::size_t at, std::size_t digits) {
    int value = 0;
    for (std::size_t i = at; i < at + digits; ++i) {
        if (i >= text.size() || text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

}  // namespace

std::string utc_seconds(std::int64_t ms) {
    const Civil c = civil(ms);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string utc_milliseconds(std::int64_t ms) {
    const Civil c = civil(ms);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", c.year, c.month, c.day, c.hour, c.minute, c.second, c.millisecond);
}

std::string http_date(std::int64_t ms) {
    static constexpr const char* weekdays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const Civil c = civil(ms);
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", weekdays[c.weekday], c.day, months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

std::optional<std::int64_t> parse_utc(std::string_view text) {
    if (text.size() != 20 && text.size() != 24) return {};
    const bool fraction = text.size() == 24;
    if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':' || text.back() != 'Z' || (fraction && text[19] != '.')) return {};
    const int year = number(text, 0, 4), month = number(text, 5, 2), day = number(text, 8, 2);
    const int hour = number(text, 11, 2), minute = number(text, 14, 2), second = number(text, 17, 2);
    const int millisecond = fraction ? number(text, 20, 3) : 0;
    if (year < 0 || month < 0 || day < 0 || hour < 0 || minute < 0 || second < 0 || millisecond < 0) return {};
    if (hour > 23 || minute > 59 || second > 59) return {};
    using namespace std::chrono;
    const year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)}, std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok()) return {};
    const auto t = sys_days{date} + hours{hour} + minutes{minute} + seconds{second} + milliseconds{millisecond};
    return duration_cast<milliseconds>(t.time_since_epoch()).count();
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
    std::int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{}) return {};
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    const std::int64_t each = unit == "ms" ? 1 : unit == "s" ? 1000 : unit == "m" ? 60'000 : unit == "h" ? 3'600'000 : unit == "d" ? 86'400'000 : 0;
    if (each == 0 || count > std::numeric_limits<std::int64_t>::max() / each || count < std::numeric_limits<std::int64_t>::min() / each) return {};
    return count * each;
}

}  // namespace openrd::base
