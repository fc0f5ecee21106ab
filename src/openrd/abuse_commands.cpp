#include "openrd/abuse_commands.hpp"

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "openrd/session.hpp"
#include "phone/numbering.hpp"
#include "store/brakes.hpp"
#include "store/directories.hpp"
#include "store/directory_limits.hpp"
#include "store/subjects.hpp"
#include "store/suppressions.hpp"

#include <fmt/format.h>

#include <charconv>

namespace openrd {
namespace {

constexpr std::int64_t rows_at_a_time = 500;
constexpr std::string_view country_resource = "ACS::OpenRD::Country", directory_resource = "ACS::ResourceManager::ResourceDirectory";

phone::MobileNumber number_of(const std::string& text) {
    auto number = phone::MobileNumber::parse(text);
    if (!number) number = phone::Numbering::built_in().from_e164(text);
    if (!number) throw Failure("that is no phone number: it is written 65-81234567 or +6581234567");
    return *std::move(number);
}

// "none", a number, or nothing.
std::optional<std::int64_t> limit_of(std::string_view option, const std::string& text) {
    if (text.empty()) return {};
    if (text == "none") return store::unlimited;
    std::int64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || at != end || value < 0 || value > INT32_MAX) throw Failure(fmt::format("{} {}: it is a number, or none", option, text));
    return value;
}

void write_limit(wire::JsonWriter& w, std::string_view name, const std::optional<std::int64_t>& limit) {
    if (!limit) w.text(name, "as in the settings");
    else if (*limit == store::unlimited) w.text(name, "none");
    else w.number(name, *limit);
}

std::string shown(const store::DirectoryLimits& limits) {
    return object([&](wire::JsonWriter& w) {
        w.text("ResourceDirectoryId", limits.directory_id);
        write_limit(w, "SendsPerHour", limits.sends_per_hour), write_limit(w, "SendsPerDay", limits.sends_per_day), write_limit(w, "WrongGuessesPerDay", limits.wrong_per_day);
    });
}

store::Directory load(db::Transaction& tx, const std::string& directory_id) {
    auto directory = store::find_directory(tx, directory_id);
    if (!directory) throw Failure(fmt::format("there is no directory {}", directory_id), refused_status);
    return *std::move(directory);
}

}  // namespace

int suppress_add(const SuppressOptions& o) {
    const auto number = number_of(o.phone);
    if (o.reason != store::suppressed_by_operator && o.reason != store::suppressed_by_stop && o.reason != store::suppressed_by_bounce)
        throw Failure(fmt::format("--reason {}: it is operator, stop or bounce", o.reason));
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto now_ms = base::real_now_ms();
        const auto until_ms = o.days == 0 ? std::optional<std::int64_t>() : now_ms + o.days * base::day_ms;
        store::put_suppression(
            tx,
            {.phone_index = session.ring().blind_index(number.reveal_e164()), .reason = o.reason, .created_by = operator_name(), .created_at_ms = now_ms, .until_ms = until_ms});
        record_suppression(tx, session.ring(), number, {.name = "SuppressPhone", .reason = o.reason}, now_ms);
    });
    print(object([&](wire::JsonWriter& w) { w.text("Phone", number.masked()), w.boolean("Suppressed", true); }));
    return 0;
}

int suppress_remove(const SuppressOptions& o) {
    const auto number = number_of(o.phone);
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        bool deleted = false;
        for (const auto& index : session.ring().blind_indexes(number.reveal_e164())) deleted = store::delete_suppression(tx, index) || deleted;
        if (!deleted) throw Failure(fmt::format("{} is not suppressed", number.masked()), refused_status);
        record_suppression(tx, session.ring(), number, {.name = "UnsuppressPhone"}, base::real_now_ms());
    });
    print(object([&](wire::JsonWriter& w) { w.text("Phone", number.masked()), w.boolean("Suppressed", false); }));
    return 0;
}

int suppress_list(const SuppressOptions& o) {
    Session session(o.place);
    std::string after;
    for (bool more = true; more;) {
        std::vector<store::Suppression> found;
        session.read([&](db::Transaction& tx) { found = store::list_suppressions(tx, after, rows_at_a_time); });
        for (const auto& s : found)
            print(object([&](wire::JsonWriter& w) {
                // Nobody can say which number it is: a few digits of the index tell one line from another.
                w.text("Index", base::hex(s.phone_index).substr(0, 12)), w.text("Reason", s.reason), w.text("By", s.created_by);
                w.text("Since", base::utc_milliseconds(s.created_at_ms));
                if (s.until_ms) w.text("Until", base::utc_milliseconds(*s.until_ms));
            }));
        more = !found.empty();
        if (more) after = found.back().phone_index;
    }
    return 0;
}

int limits_set(const LimitsOptions& o) {
    const store::DirectoryLimits limits{.directory_id = o.directory_id,
                                        .sends_per_hour = limit_of("--sends-per-hour", o.sends_per_hour),
                                        .sends_per_day = limit_of("--sends-per-day", o.sends_per_day),
                                        .wrong_per_day = limit_of("--wrong-per-day", o.wrong_per_day)};
    if (!limits.sends_per_hour && !limits.sends_per_day && !limits.wrong_per_day) throw Failure("say what it is: --sends-per-hour, --sends-per-day or --wrong-per-day");
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto now_ms = base::real_now_ms();
        const auto directory = load(tx, o.directory_id);
        store::put_directory_limits(tx, limits, now_ms);
        record(tx,
               {.account_id = directory.management_account_id,
                .name = "SetDirectoryLimits",
                .resource_type = directory_resource,
                .resource = o.directory_id,
                .parameters = {{"SendsPerHour", o.sends_per_hour}, {"SendsPerDay", o.sends_per_day}, {"WrongGuessesPerDay", o.wrong_per_day}},
                .subject_ref = {},
                .command = "openrd limits"},
               now_ms);
    });
    print(shown(limits));
    return 0;
}

int limits_show(const LimitsOptions& o) {
    Session session(o.place);
    store::DirectoryLimits limits;
    session.read([&](db::Transaction& tx) {
        load(tx, o.directory_id);
        limits = store::find_directory_limits(tx, o.directory_id).value_or(store::DirectoryLimits{.directory_id = o.directory_id});
    });
    print(shown(limits));
    return 0;
}

int limits_clear(const LimitsOptions& o) {
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto directory = load(tx, o.directory_id);
        if (!store::delete_directory_limits(tx, o.directory_id)) throw Failure(fmt::format("{} has no limits of its own", o.directory_id), refused_status);
        record(tx,
               {.account_id = directory.management_account_id,
                .name = "ClearDirectoryLimits",
                .resource_type = directory_resource,
                .resource = o.directory_id,
                .parameters = {},
                .subject_ref = {},
                .command = "openrd limits"},
               base::real_now_ms());
    });
    print(shown({.directory_id = o.directory_id, .sends_per_hour = {}, .sends_per_day = {}, .wrong_per_day = {}}));
    return 0;
}

int limits_paused(const LimitsOptions& o) {
    Session session(o.place);
    std::vector<store::CountryBrake> paused;
    session.read([&](db::Transaction& tx) { paused = store::list_paused_countries(tx, base::real_now_ms()); });
    for (const auto& brake : paused)
        print(object([&](wire::JsonWriter& w) { w.text("CallingCode", brake.calling_code), w.text("PausedUntil", base::utc_milliseconds(brake.paused_until_ms)); }));
    return 0;
}

int limits_release(const LimitsOptions& o) {
    Session session(o.place);
    session.write([&](db::Transaction& tx) {
        const auto now_ms = base::real_now_ms();
        if (!store::release_country(tx, o.calling_code, now_ms)) throw Failure(fmt::format("{} is not paused", o.calling_code), refused_status);
        record(tx,
               {.account_id = std::string(server_log),
                .name = "ReleaseCountry",
                .resource_type = country_resource,
                .resource = o.calling_code,
                .parameters = {{"CallingCode", o.calling_code}},
                .subject_ref = {},
                .command = "openrd limits"},
               now_ms);
    });
    print(object([&](wire::JsonWriter& w) { w.text("CallingCode", o.calling_code), w.boolean("Paused", false); }));
    return 0;
}

}  // namespace openrd
