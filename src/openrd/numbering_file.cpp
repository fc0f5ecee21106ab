#include "openrd/numbering_file.hpp"

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/time_text.hpp"
#include "openrd/failure.hpp"
#include "openrd/session.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace openrd {
namespace {

constexpr std::uintmax_t largest_table_bytes = 16U * 1024 * 1024;

std::string bytes_of(const std::string& path) {
    std::error_code error;
    if (const auto size = std::filesystem::file_size(path, error); error || size > largest_table_bytes) throw Failure(path + ": it cannot be read, or is no numbering table");
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw Failure(path + ": it cannot be read");
    return text.str();
}

std::unique_ptr<phone::Numbering> parsed(const std::string& path, const std::string& bytes) {
    try {
        return std::make_unique<phone::Numbering>(phone::Numbering::parse(bytes));
    } catch (const std::runtime_error& error) { throw Failure(path + ": " + error.what()); }
}

[[noreturn]] void refuse(const std::string& path) { throw Failure(fmt::format("{}: {}", path, std::strerror(errno))); }

// Whole or not at all, whatever comes: beside the old one, onto the disk, then in its place.
void put_in_place(const std::string& path, const std::string& bytes) {
    const auto beside = path + ".new";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) refuse(beside);
    std::size_t at = 0;
    bool good = true;
    while (good && at < bytes.size()) {
        const auto written = ::write(fd, bytes.data() + at, bytes.size() - at);
        if (written >= 0) at += static_cast<std::size_t>(written);
        else good = errno == EINTR;
    }
    good = good && ::fsync(fd) == 0;
    good = ::close(fd) == 0 && good;
    if (!good || ::rename(beside.c_str(), path.c_str()) != 0) {
        const int why = errno;
        ::unlink(beside.c_str());
        errno = why;
        refuse(path);
    }
}

std::string line_of(const phone::Numbering& table, const std::string& where, std::int64_t now_ms) {
    const auto age = numbering_age_days(table.released(), now_ms);
    return object([&](wire::JsonWriter& w) {
        w.text("Released", table.released()), w.text("Source", table.source()), w.text("From", where);
        w.number("CallingCodes", static_cast<std::int64_t>(table.calling_codes()));
        if (age) w.number("AgeDays", *age);
        w.boolean("Old", !age || *age > old_after_days);
    });
}

}  // namespace

std::string numbering_path(const std::string& configured, const std::string& data_directory) {
    if (!configured.empty() || data_directory.empty()) return configured;
    return (std::filesystem::path(data_directory) / "numbering.json").string();
}

std::optional<std::int64_t> numbering_age_days(const std::string& released, std::int64_t now_ms) {
    const auto at_ms = base::parse_utc(released + "T00:00:00Z");
    if (!at_ms) return {};
    return (now_ms - *at_ms) / base::day_ms;
}

std::unique_ptr<phone::Numbering> read_numbering_file(const std::string& path) {
    if (path.empty() || !std::filesystem::exists(path)) return nullptr;
    return parsed(path, bytes_of(path));
}

std::unique_ptr<phone::Numbering> NumberingInUse::read(const std::string& path, bool must_be_there) {
    auto own = read_numbering_file(path);
    if (!own && must_be_there) throw Failure(path + ": it cannot be read");
    return own;
}

NumberingInUse::NumberingInUse(std::string path, const std::unique_ptr<phone::Numbering>& own) : path_(std::move(path)), table_(phone::Numbering::built_in()) {
    if (!own) return;
    if (own->released() > table_.released()) table_.take(*own);
    else base::log::warning("the numbering file is not newer than the built-in table, which is used", {{"file", own->released()}, {"built_in", table_.released()}});
}

void NumberingInUse::reload() {
    try {
        const auto own = read_numbering_file(path_);
        if (!own) return;
        if (own->released() < table_.released()) {
            base::log::warning("the numbering file is older than the table in use, which stays", {{"file", own->released()}, {"in_use", table_.released()}});
            return;
        }
        if (own->released() == table_.released() && own->source() == table_.source()) return;
        table_.take(*own);
        base::log::info("a newer numbering table is in use", {{"released", table_.released()}});
    } catch (const std::exception& error) { base::log::error("the numbering file is not used: the table in use stays", {{"reason", error.what()}}); }
}

std::string NumberingInUse::warning(std::int64_t now_ms) const {
    const auto age = numbering_age_days(table_.released(), now_ms);
    if (age && *age <= old_after_days) return {};
    return fmt::format("The numbering table is of {}: numbers that were assigned since are refused. See openrd numbering update.", table_.released());
}

void NumberingInUse::housekeep(std::int64_t now_ms) {
    const auto day = now_ms / base::day_ms;
    if (day == said_day_) return;
    said_day_ = day;
    if (const auto says = warning(now_ms); !says.empty()) base::log::warning("the numbering table is old", {{"released", table_.released()}});
}

int numbering_update(const NumberingOptions& o) {
    const auto path = numbering_path(o.path, o.data_directory);
    const auto bytes = bytes_of(o.file);
    const auto table = parsed(o.file, bytes);
    if (!numbering_age_days(table->released(), base::real_now_ms())) throw Failure(fmt::format("{}: its date {} is none", o.file, table->released()));
    std::unique_ptr<phone::Numbering> old;
    try {
        old = read_numbering_file(path);
    } catch (const Failure&) {
        // What is there is no table: it is replaced.
    }
    if (old && old->released() > table->released())
        throw Failure(fmt::format("{} is of {}, and that in {} of {}: it stays", o.file, table->released(), path, old->released()), refused_status);
    put_in_place(path, bytes);
    print(line_of(*table, path, base::real_now_ms()));
    return 0;
}

int numbering_status(const NumberingOptions& o) {
    const auto path = numbering_path(o.path, o.data_directory);
    const auto own = read_numbering_file(path);
    const auto& built_in = phone::Numbering::built_in();
    const bool from_file = own && own->released() > built_in.released();
    const auto& used = from_file ? *own : built_in;
    const auto now_ms = base::real_now_ms();
    print(line_of(used, from_file ? path : "built in", now_ms));
    const auto age = numbering_age_days(used.released(), now_ms);
    return age && *age <= old_after_days ? 0 : refused_status;
}

}  // namespace openrd
