#include "openrd/settings.hpp"

#include "openrd/config.hpp"

#include <fmt/format.h>

#include <array>

namespace openrd {
namespace {

using base::Settings;

// "10m": the largest unit that divides it.
std::string duration(std::int64_t ms) {
    constexpr std::pair<std::int64_t, std::string_view> units[] = {{base::hour_ms, "h"}, {base::minute_ms, "m"}, {base::second_ms, "s"}};
    if (ms == 0) return "none";
    for (const auto& [size, letter] : units)
        if (ms % size == 0) return fmt::format("{}{}", ms / size, letter);
    return fmt::format("{}ms", ms);
}
std::string bytes(std::size_t count) { return count % 1024 == 0 ? fmt::format("{} KiB", count / 1024) : fmt::format("{} bytes", count); }
std::string count(std::uint32_t n) { return std::to_string(n); }
std::string limit(std::uint32_t n) { return n == 0 ? "none" : std::to_string(n); }
std::string yes_no(bool value) { return value ? "yes" : "no"; }
std::string words(const std::vector<std::string>& list) { return list.empty() ? "none" : fmt::format("{}", fmt::join(list, " ")); }
// "0.05": millionths, without the zeros at the end.
std::string money(std::int64_t micros) {
    std::string text = fmt::format("{}.{:06}", micros / 1'000'000, micros % 1'000'000);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}
std::string prices(const std::vector<base::Price>& list) {
    std::string text;
    for (const auto& price : list) text += fmt::format("{}{}={}", text.empty() ? "" : " ", price.calling_code, money(price.micros));
    return text.empty() ? "none" : text;
}

std::vector<std::string> texts(const std::vector<base::Network>& list) {
    std::vector<std::string> written;
    written.reserve(list.size());
    for (const auto& network : list) written.push_back(network.text());
    return written;
}

// clang-format off
constexpr Setting settings[] = {
    {"site", "Which site of the vendor the server stands for: `international` refuses phones of country code 86, `china` takes only those.", "--site", [](const Settings& s) { return std::string(name_of(s.site)); }},
    {"disabled_actions", "Operations that the site switches off: they answer `NotSupport.Site.Action`.", "--disable-action", [](const Settings& s) { return words(s.disabled_actions); }},
    {"sandbox", "Seed, inbox, clock and reset; `openrd serve --sandbox`.", "--sandbox", [](const Settings& s) { return yes_no(s.sandbox); }},
    {"server.require_tls", "Refuse plain HTTP with `InvalidProtocol.NeedSsl`, unless a declared proxy says that it came by https.", "", [](const Settings& s) { return yes_no(s.require_tls); }},
    {"server.trusted_proxies", "Networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.", "", [](const Settings& s) { return words(texts(s.trusted_proxies)); }},
    {"timestamp_window", "How far a signed timestamp may be from the server's clock, either way.", "", [](const Settings& s) { return duration(s.timestamp_window_ms); }},
    {"unknown_ranges", "Calling codes whose numbers are taken too when the numbering table knows no such range; their prefix limits are halved.", "", [](const Settings& s) { return words(s.unknown_ranges); }},
    {"numbering_file", "A newer table of the world's mobile numbers than the built-in one.", "--numbering", [](const Settings& s) { return s.numbering_file.empty() ? std::string("built in") : s.numbering_file; }},
    {"threads", "Threads that serve connections.", "--threads", [](const Settings& s) { return s.threads == 0 ? std::string("one for each core") : count(s.threads); }},
    {"write_queue", "Writes that may wait for the database; one more is refused with `ServiceUnavailable`.", "", [](const Settings& s) { return count(s.write_queue); }},

    {"request_deadline", "A request that the database has not done by then is refused with `ServiceUnavailable`, nothing done.", "", [](const Settings& s) { return duration(s.request_deadline_ms); }},
    {"database_connections", "Connections to a PostgreSQL database, each with a thread.", "--database-connections", [](const Settings& s) { return count(s.database_connections); }},

    {"http.target", "Longest request target.", "", [](const Settings& s) { return bytes(s.http.target_bytes); }},
    {"http.header", "Largest request head, without the target.", "", [](const Settings& s) { return bytes(s.http.header_bytes); }},
    {"http.body", "Largest request body.", "", [](const Settings& s) { return bytes(s.http.body_bytes); }},
    {"http.header_time", "A request head that takes longer is cut with 408.", "", [](const Settings& s) { return duration(s.http.header_time_ms); }},
    {"http.body_time", "A body that takes longer is cut with 408.", "", [](const Settings& s) { return duration(s.http.body_time_ms); }},
    {"http.idle_time", "A kept-alive connection without a request is closed after it.", "", [](const Settings& s) { return duration(s.http.idle_time_ms); }},
    {"http.write_time", "A client that does not take its answer within it is cut.", "", [](const Settings& s) { return duration(s.http.write_time_ms); }},
    {"http.connections", "Open connections at most.", "", [](const Settings& s) { return count(s.http.connections); }},

    {"parameters.count", "Parameters of one request at most.", "", [](const Settings& s) { return count(s.parameters.count); }},
    {"parameters.list_index", "Largest N of `Tag.N`.", "", [](const Settings& s) { return count(s.parameters.list_index); }},

    {"codes.lifetime", "How long a verification code holds; a resend does not extend it.", "", [](const Settings& s) { return duration(s.codes.lifetime_ms); }},
    {"codes.attempts", "Guesses at one code.", "", [](const Settings& s) { return count(s.codes.attempts); }},
    {"codes.sends_per_member_and_day", "Codes that a member may be sent in a day, which begins at 00:00 UTC+8.", "", [](const Settings& s) { return count(s.codes.sends_per_member_and_day); }},
    {"codes.renew_below", "A Send begins a new code when the one under way has less than this left.", "", [](const Settings& s) { return duration(s.codes.renew_below_ms); }},
    {"codes.first_lock_failures", "Wrong guesses in a row, over all codes, after which an account is locked for `first_lock`.", "", [](const Settings& s) { return count(s.codes.first_lock_failures); }},
    {"codes.second_lock_failures", "The same for `second_lock`.", "", [](const Settings& s) { return count(s.codes.second_lock_failures); }},
    {"codes.final_lock_failures", "After so many it stays locked until `openrd account unlock`.", "", [](const Settings& s) { return count(s.codes.final_lock_failures); }},
    {"codes.first_lock", "Length of the first lock.", "", [](const Settings& s) { return duration(s.codes.first_lock_ms); }},
    {"codes.second_lock", "Length of the second lock.", "", [](const Settings& s) { return duration(s.codes.second_lock_ms); }},

    {"strict.resend_interval", "Between two Sends to one member.", "", [](const Settings& s) { return duration(s.strict.resend_interval_ms); }},
    {"strict.sends_per_code", "Sends of one code.", "", [](const Settings& s) { return limit(s.strict.sends_per_code); }},
    {"strict.per_phone_hour", "Messages to one phone in an hour, over all accounts.", "", [](const Settings& s) { return limit(s.strict.per_phone_hour); }},
    {"strict.per_phone_day", "Messages to one phone in a day, over all accounts.", "", [](const Settings& s) { return limit(s.strict.per_phone_day); }},
    {"strict.per_target_hour", "Messages for one member in an hour.", "", [](const Settings& s) { return limit(s.strict.per_target_hour); }},
    {"strict.per_target_day", "Messages for one member in a day.", "", [](const Settings& s) { return limit(s.strict.per_target_day); }},
    {"strict.per_directory_hour", "Messages for one directory in an hour.", "", [](const Settings& s) { return limit(s.strict.per_directory_hour); }},
    {"strict.per_directory_day", "Messages for one directory in a day.", "", [](const Settings& s) { return limit(s.strict.per_directory_day); }},
    {"strict.per_caller_hour", "Sends of one identity in an hour.", "", [](const Settings& s) { return limit(s.strict.per_caller_hour); }},
    {"strict.per_source_hour", "Sends from one address in an hour.", "", [](const Settings& s) { return limit(s.strict.per_source_hour); }},
    {"strict.per_prefix_hour", "Messages in an hour to numbers that differ in their last four digits only.", "", [](const Settings& s) { return limit(s.strict.per_prefix_hour); }},
    {"strict.per_prefix_day", "The same in a day.", "", [](const Settings& s) { return limit(s.strict.per_prefix_day); }},
    {"strict.per_country_hour", "Messages to one country in an hour.", "", [](const Settings& s) { return limit(s.strict.per_country_hour); }},
    {"strict.system_day", "Messages of the whole server in a day.", "", [](const Settings& s) { return limit(s.strict.system_day); }},
    {"strict.wrong_per_phone_day", "Wrong guesses at codes of one phone in a day.", "", [](const Settings& s) { return limit(s.strict.wrong_per_phone_day); }},
    {"strict.wrong_per_directory_day", "Wrong guesses of one directory in a day.", "", [](const Settings& s) { return limit(s.strict.wrong_per_directory_day); }},
    {"strict.accounts_per_phone", "Accounts that may have the same phone.", "", [](const Settings& s) { return limit(s.strict.accounts_per_phone); }},
    {"strict.countries_by_list", "Whether only phones of the listed countries are taken.", "", [](const Settings& s) { return yes_no(s.strict.countries_by_list); }},
    {"strict.countries", "Their calling codes. As delivered: where the vendor has regions; with a configuration file: none, so that each is named.", "", [](const Settings& s) { return words(s.strict.countries); }},

    {"brake.percent", "A country is sent nothing for `brake.pause` when less than this share of its latest codes was redeemed.", "", [](const Settings& s) { return limit(s.brake.percent); }},
    {"brake.latest", "How many of a country's latest codes whose time is up are looked at.", "", [](const Settings& s) { return count(s.brake.latest); }},
    {"brake.at_least", "With fewer codes than this the brake stays off.", "", [](const Settings& s) { return count(s.brake.at_least); }},
    {"brake.pause", "How long a country is sent nothing; `openrd limits release` ends it earlier.", "", [](const Settings& s) { return duration(s.brake.pause_ms); }},

    {"spend.budget_day", "What the messages of a day may cost, over the whole system; what does not fit is refused until 00:00 UTC+8.", "", [](const Settings& s) { return s.spend.budget_day_micros == 0 ? std::string("none") : money(s.spend.budget_day_micros); }},
    {"spend.price", "What a message costs, in the currency of the budget.", "", [](const Settings& s) { return money(s.spend.price_micros); }},
    {"spend.prices", "Where it costs something else: calling code and price.", "", [](const Settings& s) { return prices(s.spend.prices); }},

    {"quotas.members", "Members of a directory.", "", [](const Settings& s) { return limit(s.quotas.members); }},
    {"quotas.folders", "Folders of a directory, without Root.", "", [](const Settings& s) { return limit(s.quotas.folders); }},
    {"rates.enforced", "Whether an account's calls of an operation are limited to the operation's published rate.", "", [](const Settings& s) { return yes_no(s.rates.enforced); }},

    {"audit.reads", "Record successful reads as well; writes and refusals always are.", "--audit-reads", [](const Settings& s) { return yes_no(s.audit.reads); }},
    {"audit.origin", "The name of the log in its checkpoints. A database keeps the one that it was made with.", "", [](const Settings& s) { return s.audit.origin; }},
    {"audit.checkpoint_interval", "An entry is sealed at most this much later.", "", [](const Settings& s) { return duration(s.audit.checkpoint_interval_ms); }},
};
// clang-format on

base::StrictLimits strict_limits() {
    base::StrictLimits s;
    s.resend_interval_ms = 60 * base::second_ms;
    s.sends_per_code = 5;
    s.per_phone_hour = 5, s.per_phone_day = 10;
    s.per_target_hour = 5, s.per_target_day = 10;
    s.per_directory_hour = 20, s.per_directory_day = 100;
    s.per_caller_hour = 30, s.per_source_hour = 60;
    s.per_prefix_hour = 10, s.per_prefix_day = 30;
    s.per_country_hour = 50;
    s.system_day = 1000;
    s.wrong_per_phone_day = 10, s.wrong_per_directory_day = 100;
    s.accounts_per_phone = 1;
    s.countries_by_list = true;
    // Where the vendor has regions. Of these the site takes 86 or all others (decisions.md D.6).
    s.countries = {"1", "44", "49", "52", "60", "62", "63", "65", "66", "81", "82", "86", "852", "966", "971"};
    return s;
}

}  // namespace

std::span<const Setting> all_settings() { return settings; }

base::Settings settings_for(base::Profile profile) {
    base::Settings s;  // as they stand there: documented
    if (profile == base::Profile::open) {
        s.quotas = {.members = 0, .folders = 0};
        s.rates.enforced = false;
    }
    if (profile == base::Profile::strict) {
        s.strict = strict_limits();
        s.brake.percent = 20;
        s.spend.budget_day_micros = 50'000'000;  // a thousand messages at the price as delivered
    }
    return s;
}

std::optional<base::Profile> parse_profile(std::string_view text) {
    if (text == "open") return base::Profile::open;
    if (text == "documented") return base::Profile::documented;
    if (text == "strict") return base::Profile::strict;
    return {};
}

std::optional<base::Site> parse_site(std::string_view text) {
    if (text == "international") return base::Site::international;
    if (text == "china") return base::Site::china;
    return {};
}

std::string_view name_of(base::Site site) { return site == base::Site::china ? "china" : "international"; }

std::string settings_as_markdown() {
    std::string out =
        "# Settings\n\n"
        "Made by `openrd settings --markdown` from the table in `src/openrd/settings.cpp`: change it there.\n\n"
        "`openrd serve --limits PROFILE` chooses the column. `open` is the sandbox's default: the adjustable quotas and the request rates are lifted. `documented` applies every "
        "number that the\n"
        "vendor publishes. `strict` adds the tighter limits that protect phones. What protects a code (its lifetime, attempts and locks, 100 codes a day) holds in all three.\n\n"
        "| setting | open | documented | strict | flag of `serve` | what it does |\n|---|---|---|---|---|---|\n";
    const auto open = settings_for(base::Profile::open), documented = settings_for(base::Profile::documented), strict = settings_for(base::Profile::strict);
    for (const auto& setting : settings)
        out += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", setting.name, setting.show(open), setting.show(documented), setting.show(strict),
                           setting.flag.empty() ? std::string() : fmt::format("`{}`", setting.flag), setting.sentence);
    out +=
        "\n## The configuration file\n\n"
        "`openrd serve --config FILE` reads TOML. A setting stands under its name: `strict.system_day = 500`, or `system_day = 500` in the table `[strict]`; names without a dot "
        "stand at "
        "the top, before\nthe first table. Durations are texts (`\"90s\"`, `\"10m\"`, `\"24h\"`, `\"500ms\"`), sizes numbers of bytes or texts (`\"64 KiB\"`), lists are lists of "
        "texts; "
        "where zero means no limit,\n`\"none\"` says it too. What protects a code can be made tighter, not looser. Without `limits.profile` the profile is `strict`. Whatever is "
        "not understood, of "
        "another type or out of its range is\nrefused with file and line. Beside the settings above (`sandbox` is not one of the file):\n\n| key | what it does |\n|---|---|\n";
    for (const auto& key : config_keys()) out += fmt::format("| `{}` | {} |\n", key.name, key.sentence);
    return out;
}

}  // namespace openrd
