#include "openrd/config_values.hpp"

#include "api/registry.hpp"
#include "openrd/config.hpp"
#include "openrd/settings.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <variant>

namespace openrd {
namespace {

using base::Settings;

// Durations are "10m", sizes "64 KiB", limits a number; "none" where zero means that there is no limit.
struct Duration {
    std::int64_t* ms;
};
struct Bytes {
    std::size_t* bytes;
};
struct Money {
    std::int64_t* micros;
};
using Place =
    std::variant<Duration, Bytes, Money, std::vector<base::Price>*, std::uint32_t*, bool*, std::string*, std::vector<std::string>*, std::vector<base::Network>*, base::Site*>;

struct FromFile {
    std::string_view name;
    Place (*place)(Settings&);
    std::int64_t least = 0, most = std::numeric_limits<std::uint32_t>::max();
};

constexpr std::int64_t day_ms = 24 * base::hour_ms, longest_ms = 366 * day_ms;
constexpr std::int64_t mib = 1024 * 1024;

// Where the ranges come from: codes, NIST SP 800-63B (decisions.md D.8: what protects a code may be tightened, never loosened);
// the rest, what the server can do with.
// clang-format off
constexpr FromFile table[] = {
    {"site", [](Settings& s) -> Place { return &s.site; }},
    {"disabled_actions", [](Settings& s) -> Place { return &s.disabled_actions; }},
    {"server.require_tls", [](Settings& s) -> Place { return &s.require_tls; }},
    {"server.trusted_proxies", [](Settings& s) -> Place { return &s.trusted_proxies; }},
    {"timestamp_window", [](Settings& s) -> Place { return Duration{&s.timestamp_window_ms}; }, base::minute_ms, base::hour_ms},
    {"unknown_ranges", [](Settings& s) -> Place { return &s.unknown_ranges; }},
    {"numbering_file", [](Settings& s) -> Place { return &s.numbering_file; }},
    {"threads", [](Settings& s) -> Place { return &s.threads; }, 0, 256},
    {"write_queue", [](Settings& s) -> Place { return &s.write_queue; }, 1, 1'000'000},

    {"request_deadline", [](Settings& s) -> Place { return Duration{&s.request_deadline_ms}; }, 100, 10 * base::minute_ms},
    {"database_connections", [](Settings& s) -> Place { return &s.database_connections; }, 1, 1000},

    {"http.target", [](Settings& s) -> Place { return Bytes{&s.http.target_bytes}; }, 1024, mib},
    {"http.header", [](Settings& s) -> Place { return Bytes{&s.http.header_bytes}; }, 1024, mib},
    {"http.body", [](Settings& s) -> Place { return Bytes{&s.http.body_bytes}; }, 1024, 64 * mib},
    {"http.header_time", [](Settings& s) -> Place { return Duration{&s.http.header_time_ms}; }, 100, base::hour_ms},
    {"http.body_time", [](Settings& s) -> Place { return Duration{&s.http.body_time_ms}; }, 100, base::hour_ms},
    {"http.idle_time", [](Settings& s) -> Place { return Duration{&s.http.idle_time_ms}; }, 100, base::hour_ms},
    {"http.write_time", [](Settings& s) -> Place { return Duration{&s.http.write_time_ms}; }, 100, base::hour_ms},
    {"http.connections", [](Settings& s) -> Place { return &s.http.connections; }, 1, 1'000'000},

    {"parameters.count", [](Settings& s) -> Place { return &s.parameters.count; }, 16, 100'000},
    {"parameters.list_index", [](Settings& s) -> Place { return &s.parameters.list_index; }, 1, 100'000},

    {"codes.lifetime", [](Settings& s) -> Place { return Duration{&s.codes.lifetime_ms}; }, 2 * base::minute_ms, 10 * base::minute_ms},
    {"codes.attempts", [](Settings& s) -> Place { return &s.codes.attempts; }, 1, 5},
    {"codes.sends_per_member_and_day", [](Settings& s) -> Place { return &s.codes.sends_per_member_and_day; }, 1, 100},
    {"codes.renew_below", [](Settings& s) -> Place { return Duration{&s.codes.renew_below_ms}; }, 0, 10 * base::minute_ms},
    {"codes.first_lock_failures", [](Settings& s) -> Place { return &s.codes.first_lock_failures; }, 1, 10},
    {"codes.second_lock_failures", [](Settings& s) -> Place { return &s.codes.second_lock_failures; }, 1, 20},
    {"codes.final_lock_failures", [](Settings& s) -> Place { return &s.codes.final_lock_failures; }, 1, 50},
    {"codes.first_lock", [](Settings& s) -> Place { return Duration{&s.codes.first_lock_ms}; }, 15 * base::minute_ms, longest_ms},
    {"codes.second_lock", [](Settings& s) -> Place { return Duration{&s.codes.second_lock_ms}; }, base::hour_ms, longest_ms},

    {"strict.resend_interval", [](Settings& s) -> Place { return Duration{&s.strict.resend_interval_ms}; }, 0, day_ms},
    {"strict.sends_per_code", [](Settings& s) -> Place { return &s.strict.sends_per_code; }},
    {"strict.per_phone_hour", [](Settings& s) -> Place { return &s.strict.per_phone_hour; }},
    {"strict.per_phone_day", [](Settings& s) -> Place { return &s.strict.per_phone_day; }},
    {"strict.per_target_hour", [](Settings& s) -> Place { return &s.strict.per_target_hour; }},
    {"strict.per_target_day", [](Settings& s) -> Place { return &s.strict.per_target_day; }},
    {"strict.per_directory_hour", [](Settings& s) -> Place { return &s.strict.per_directory_hour; }},
    {"strict.per_directory_day", [](Settings& s) -> Place { return &s.strict.per_directory_day; }},
    {"strict.per_caller_hour", [](Settings& s) -> Place { return &s.strict.per_caller_hour; }},
    {"strict.per_source_hour", [](Settings& s) -> Place { return &s.strict.per_source_hour; }},
    {"strict.per_prefix_hour", [](Settings& s) -> Place { return &s.strict.per_prefix_hour; }},
    {"strict.per_prefix_day", [](Settings& s) -> Place { return &s.strict.per_prefix_day; }},
    {"strict.per_country_hour", [](Settings& s) -> Place { return &s.strict.per_country_hour; }},
    {"strict.system_day", [](Settings& s) -> Place { return &s.strict.system_day; }},
    {"strict.wrong_per_phone_day", [](Settings& s) -> Place { return &s.strict.wrong_per_phone_day; }},
    {"strict.wrong_per_directory_day", [](Settings& s) -> Place { return &s.strict.wrong_per_directory_day; }},
    {"strict.accounts_per_phone", [](Settings& s) -> Place { return &s.strict.accounts_per_phone; }},
    {"strict.countries_by_list", [](Settings& s) -> Place { return &s.strict.countries_by_list; }},
    {"strict.countries", [](Settings& s) -> Place { return &s.strict.countries; }},

    {"brake.percent", [](Settings& s) -> Place { return &s.brake.percent; }, 0, 100},
    {"brake.latest", [](Settings& s) -> Place { return &s.brake.latest; }, 1, 1000},
    {"brake.at_least", [](Settings& s) -> Place { return &s.brake.at_least; }, 1, 1000},
    {"brake.pause", [](Settings& s) -> Place { return Duration{&s.brake.pause_ms}; }, base::minute_ms, longest_ms},

    {"spend.budget_day", [](Settings& s) -> Place { return Money{&s.spend.budget_day_micros}; }},
    {"spend.price", [](Settings& s) -> Place { return Money{&s.spend.price_micros}; }},
    {"spend.prices", [](Settings& s) -> Place { return &s.spend.prices; }},

    {"quotas.members", [](Settings& s) -> Place { return &s.quotas.members; }},
    {"quotas.folders", [](Settings& s) -> Place { return &s.quotas.folders; }},
    {"rates.enforced", [](Settings& s) -> Place { return &s.rates.enforced; }},

    {"audit.reads", [](Settings& s) -> Place { return &s.audit.reads; }},
    {"audit.origin", [](Settings& s) -> Place { return &s.audit.origin; }},
    {"audit.checkpoint_interval", [](Settings& s) -> Place { return Duration{&s.audit.checkpoint_interval_ms}; }, 100, base::minute_ms},
};
// clang-format on

struct Unit {
    std::string_view name;
    std::int64_t size;
};
constexpr Unit durations[] = {{"ms", 1}, {"s", base::second_ms}, {"m", base::minute_ms}, {"h", base::hour_ms}};
constexpr Unit sizes[] = {{"bytes", 1}, {"KiB", 1024}, {"MiB", mib}};

// "10m", "64 KiB", "none".
std::optional<std::int64_t> quantity(std::string_view text, std::span<const Unit> units) {
    if (text == "none") return 0;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (text.starts_with(' ')) text.remove_prefix(1);
    const auto unit = std::ranges::find(units, text, &Unit::name);
    if (unit == units.end() || number > std::numeric_limits<std::int64_t>::max() / unit->size) return {};
    return number * unit->size;
}

// "0.05", at most six digits behind the point and nine before it.
std::optional<std::int64_t> micros(std::string_view text) {
    const auto point = text.find('.');
    std::string digits(text.substr(0, point));
    const auto rest = point == text.npos ? std::string_view("0") : text.substr(point + 1);
    if (digits.empty() || digits.size() > 9 || rest.empty() || rest.size() > 6) return {};
    digits.append(rest).append(6 - rest.size(), '0');
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return {};
    return number;
}

// Reads one node into its place.
class Reader {
  public:
    Reader(const ConfigDocument& document, const FromFile& what, const toml::node& node) : document_(document), what_(what), node_(node) {}

    void operator()(Duration place) const {
        *place.ms = in_range(quantity_of(durations, R"(a duration such as "10m" (ms, s, m, h))"),
                             [](std::int64_t ms) { return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms); });
    }
    void operator()(Bytes place) const {
        const auto whole = node_.value_exact<std::int64_t>();
        const auto bytes = whole ? *whole : quantity_of(sizes, R"(a number of bytes or a size such as "64 KiB")");
        *place.bytes = static_cast<std::size_t>(in_range(bytes, [](std::int64_t b) { return fmt::format("{} bytes", b); }));
    }
    void operator()(Money place) const {
        const auto text = node_.value_exact<std::string>();
        const auto amount = text && *text == "none" ? std::optional<std::int64_t>(0)
                            : text                  ? micros(*text)
                            : node_.is_number()     ? micros(fmt::format("{}", *node_.value<double>()))
                                                    : std::nullopt;
        if (!amount) refuse(R"(it must be an amount such as "0.05")");
        *place.micros = *amount;
    }
    void operator()(std::vector<base::Price>* place) const {
        place->clear();
        each([&](const toml::node& one, const std::string& text) {
            const auto equals = text.find('=');
            const auto amount = equals == std::string::npos ? std::nullopt : micros(std::string_view(text).substr(equals + 1));
            if (!amount) throw document_.refusal(one, fmt::format(R"({}: {} is not a price such as "65=0.04")", what_.name, text));
            place->push_back({.calling_code = known_word(one, text.substr(0, equals)), .micros = *amount});
        });
    }
    void operator()(std::uint32_t* place) const {
        const auto text = node_.value_exact<std::string>();
        const auto number = text && *text == "none" ? std::optional<std::int64_t>(0) : node_.value_exact<std::int64_t>();
        if (!number) refuse("it must be a whole number");
        *place = static_cast<std::uint32_t>(in_range(*number, [](std::int64_t n) { return std::to_string(n); }));
    }
    void operator()(bool* place) const { *place = read_yes_no(document_, what_.name, node_); }
    void operator()(std::string* place) const {
        *place = read_text(document_, what_.name, node_);
        if (what_.name == "numbering_file") *place = expanded_path(document_.path, node_, what_.name, *place);
        if (what_.name == "audit.origin" && place->empty()) refuse("it must not be empty");
    }
    void operator()(std::vector<std::string>* place) const {
        place->clear();
        each([&](const toml::node& one, const std::string& text) { place->push_back(known_word(one, text)); });
    }
    void operator()(std::vector<base::Network>* place) const {
        place->clear();
        each([&](const toml::node& one, const std::string& text) {
            const auto network = base::Network::parse(text);
            if (!network) throw document_.refusal(one, fmt::format("{}: {} is not a network such as 10.0.0.0/8", what_.name, text));
            place->push_back(*network);
        });
    }
    void operator()(base::Site* place) const {
        const auto site = parse_site(read_text(document_, what_.name, node_));
        if (!site) refuse("it must be international or china");
        *place = *site;
    }

  private:
    [[noreturn]] void refuse(std::string_view why) const { throw document_.refusal(node_, fmt::format("{}: {}", what_.name, why)); }

    std::int64_t quantity_of(std::span<const Unit> units, std::string_view form) const {
        const auto text = node_.value_exact<std::string>();
        const auto found = text ? quantity(*text, units) : std::nullopt;
        if (!found) refuse(fmt::format("it must be {}", form));
        return *found;
    }
    template <class Write> std::int64_t in_range(std::int64_t number, Write write) const {
        if (number < what_.least || number > what_.most) refuse(fmt::format("it must be from {} to {}", write(what_.least), write(what_.most)));
        return number;
    }
    template <class Take> void each(Take take) const {
        const auto* list = node_.as_array();
        if (!list) refuse("it must be a list of texts");
        for (const auto& one : *list) {
            const auto text = one.value_exact<std::string>();
            if (!text) throw document_.refusal(one, fmt::format("{}: it must be a list of texts", what_.name));
            take(one, *text);
        }
    }
    std::string known_word(const toml::node& one, const std::string& text) const {
        if (what_.name == "disabled_actions") {
            for (const auto version : api::every_version)
                if (const auto action = api::vendor_action(text, version); !action.empty()) return std::string(action);
            throw document_.refusal(one, fmt::format("{}: there is no operation {}", what_.name, text));
        }
        const bool digits = !text.empty() && text.size() <= 3 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
        if (!digits) throw document_.refusal(one, fmt::format("{}: {} is not a calling code", what_.name, text));
        return text;
    }

    const ConfigDocument& document_;
    const FromFile& what_;
    const toml::node& node_;
};

}  // namespace

bool read_setting(const ConfigDocument& document, std::string_view name, const toml::node& node, Settings& settings) {
    const auto* what = std::ranges::find(table, name, &FromFile::name);
    if (what == std::end(table)) return false;
    std::visit(Reader(document, *what, node), what->place(settings));
    return true;
}

bool can_be_configured(std::string_view setting) { return std::ranges::find(table, setting, &FromFile::name) != std::end(table); }

std::string read_text(const ConfigDocument& document, std::string_view name, const toml::node& node) {
    auto text = node.value_exact<std::string>();
    if (!text) throw document.refusal(node, fmt::format("{}: it must be a text", name));
    if (text->find('\0') != std::string::npos) throw document.refusal(node, fmt::format("{}: it holds a zero byte", name));
    return *std::move(text);
}

bool read_yes_no(const ConfigDocument& document, std::string_view name, const toml::node& node) {
    const auto value = node.value_exact<bool>();
    if (!value) throw document.refusal(node, fmt::format("{}: it must be true or false", name));
    return *value;
}

std::string expanded_path(const std::string& file, const toml::node& node, std::string_view name, const std::string& text) {
    constexpr std::string_view variable = "${CREDENTIALS_DIRECTORY}";
    if (!text.starts_with(variable)) {
        if (text.find("${") != std::string::npos) throw refusal_at(file, node, fmt::format("{}: only {} at its start is expanded", name, variable));
        return text;
    }
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");  // NOLINT(concurrency-mt-unsafe): before there are threads
    if (!directory || *directory == '\0') throw refusal_at(file, node, fmt::format("{}: CREDENTIALS_DIRECTORY is not set: systemd sets it for a unit with LoadCredential=", name));
    return directory + text.substr(variable.size());
}

}  // namespace openrd
