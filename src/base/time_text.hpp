#pragma once
// Times as the vendor writes them: UTC, ISO 8601.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::base {

std::string utc_seconds(std::int64_t ms);       // 2023-10-26T10:22:32Z
std::string utc_milliseconds(std::int64_t ms);  // 2023-10-26T10:22:32.747Z
std::string http_date(std::int64_t ms);         // Thu, 26 Oct 2023 10:22:32 GMT

// Milliseconds since 1970 of yyyy-MM-ddTHH:mm:ssZ, with or without .SSS; empty when it is written otherwise or is no such day.
std::optional<std::int64_t> parse_utc(std::string_view text);

// Milliseconds of "250ms", "90s", "11m", "2h" or "1d", with a leading '-' allowed; empty when written otherwise or too large.
std::optional<std::int64_t> parse_duration_ms(std::string_view text);

// The number of the day that begins at 00:00 UTC+8, by which the vendor counts its daily limits.
constexpr std::int64_t day_of_utc8(std::int64_t ms) {
    const std::int64_t shifted = ms + 8 * 3'600'000;
    return (shifted >= 0 ? shifted : shifted - 86'399'999) / 86'400'000;
}

}  // namespace openrd::base
