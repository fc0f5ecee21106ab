#pragma once
// Every number that can be set, as plain structs. openrd/settings.cpp fills them, names them and documents them.
// Times are in milliseconds, sizes in bytes.
#include "base/clock.hpp"
#include "base/network.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::base {

enum class Site : std::uint8_t { international, china };

// open: the adjustable quotas and the request rates are lifted (sandbox). documented: every number the vendor publishes.
// strict: documented, and the tighter limits of our own that protect phones (production).
enum class Profile : std::uint8_t { open, documented, strict };

struct HttpLimits {
    std::size_t target_bytes = 64 * 1024;
    std::size_t header_bytes = 32 * 1024;  // the whole head without the target
    std::size_t body_bytes = 1024 * 1024;
    std::int64_t header_time_ms = 15 * second_ms;
    std::int64_t body_time_ms = 30 * second_ms;
    std::int64_t idle_time_ms = 75 * second_ms;
    std::int64_t write_time_ms = 30 * second_ms;
    std::uint32_t connections = 10'000;
};

struct ParameterLimits {
    std::uint32_t count = 1000;       // parameters of one request
    std::uint32_t list_index = 1000;  // the N of Tag.N
};

// What no setting exceeds: NIST SP 800-63B and the other anchors of verification.md 3.
inline constexpr std::int64_t most_code_lifetime_ms = 10 * minute_ms;
inline constexpr std::uint32_t most_code_attempts = 5;
inline constexpr std::uint32_t most_code_failures = 50;  // in a row, over all codes

// Of the codes that go to phones. The vendor's, and those that protect a code: they hold in every profile.
struct CodeLimits {
    std::int64_t lifetime_ms = most_code_lifetime_ms;
    std::uint32_t attempts = most_code_attempts;
    std::uint32_t sends_per_member_and_day = 100;
    std::int64_t renew_below_ms = 120 * second_ms;  // a Send with less left than this begins a new code
    std::uint32_t first_lock_failures = 10, second_lock_failures = 20, final_lock_failures = most_code_failures;
    std::int64_t first_lock_ms = 15 * minute_ms, second_lock_ms = 24 * hour_ms;

    // As they hold: a larger setting is the cap.
    CodeLimits capped() const {
        CodeLimits c = *this;
        c.lifetime_ms = std::min(lifetime_ms, most_code_lifetime_ms);
        c.attempts = std::min(attempts, most_code_attempts);
        c.final_lock_failures = std::min(final_lock_failures, most_code_failures);
        return c;
    }
};

// Only in the strict profile: zero means no limit.
struct StrictLimits {
    std::int64_t resend_interval_ms = 0;
    std::uint32_t sends_per_code = 0;
    std::uint32_t per_phone_hour = 0, per_phone_day = 0;
    std::uint32_t per_target_hour = 0, per_target_day = 0;
    std::uint32_t per_directory_hour = 0, per_directory_day = 0;
    std::uint32_t per_caller_hour = 0, per_source_hour = 0;
    std::uint32_t per_prefix_hour = 0, per_prefix_day = 0;
    std::uint32_t per_country_hour = 0;
    std::uint32_t system_day = 0;
    std::uint32_t wrong_per_phone_day = 0, wrong_per_directory_day = 0;
    std::uint32_t accounts_per_phone = 0;
    bool countries_by_list = false;
    std::vector<std::string> countries;  // calling codes
};

// The brake of a country (docs/decisions/0027): put on when less than `percent` of the last `latest` codes were redeemed. Zero
// percent: there is none.
struct BrakeSettings {
    std::uint32_t percent = 0;
    std::uint32_t latest = 50, at_least = 20;  // codes looked at; fewer prove nothing
    std::int64_t pause_ms = hour_ms;
};

// What messages cost, in millionths of the currency that the gateway bills in.
struct Price {
    std::string calling_code;
    std::int64_t micros = 0;
};
struct SpendSettings {
    std::int64_t budget_day_micros = 0;  // of the whole system; zero: no limit
    std::int64_t price_micros = 50'000;  // of a message to a country that `prices` does not name
    std::vector<Price> prices;
    std::int64_t price_of(std::string_view calling_code) const {
        const auto named = std::find_if(prices.begin(), prices.end(), [&](const Price& p) { return p.calling_code == calling_code; });
        return named == prices.end() ? price_micros : named->micros;
    }
};

// The vendor's adjustable quotas: zero means no limit.
struct Quotas {
    std::uint32_t members = 20;
    std::uint32_t folders = 100;
};
inline constexpr std::uint32_t folder_depth = 5;

struct Rates {
    bool enforced = true;  // the rate of each operation's declaration, per account
};

struct AuditSettings {
    bool reads = false;                         // record successful reads too
    std::string origin = "openrd.local/audit";  // of the checkpoints
    std::int64_t checkpoint_interval_ms = 1 * second_ms;
};

struct Settings {
    Site site = Site::international;
    std::vector<std::string> disabled_actions;  // operations that the site switches off
    bool sandbox = false;
    bool require_tls = false;
    std::vector<Network> trusted_proxies;  // whose X-Forwarded-For and X-Forwarded-Proto are believed
    std::int64_t timestamp_window_ms = 15 * minute_ms;
    HttpLimits http;
    ParameterLimits parameters;
    CodeLimits codes;
    StrictLimits strict;
    BrakeSettings brake;
    SpendSettings spend;
    Quotas quotas;
    Rates rates;
    AuditSettings audit;
    std::vector<std::string> unknown_ranges;  // calling codes whose numbers are taken too when the table does not know their range
    std::string numbering_file;               // a newer table than the built-in one; empty: none
    std::uint32_t threads = 0;                // that serve connections; 0: one per core
    std::uint32_t write_queue = 4096;
    std::int64_t request_deadline_ms = 10 * second_ms;
    std::uint32_t database_connections = 32;
    bool messages = true;  // whether a channel could carry one: no setting, openrd/ knows it from the channels
};

}  // namespace openrd::base
