#include "base/log.hpp"

#include "base/clock.hpp"
#include "base/time_text.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace openrd::base::log {
namespace {

std::atomic<Level> least{Level::info};

std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
        case Level::off:
            return "off";
    }
    return {};
}

void append_text(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text) {
        const auto u = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (u < 0x20 || u >= 0x7F) out += fmt::format("\\u{:04x}", u);  // a log is read in terminals: nothing but ASCII
        else out += c;
    }
    out += '"';
}

}  // namespace

void set_level(Level level) { least.store(level, std::memory_order_relaxed); }
bool enabled(Level level) { return level >= least.load(std::memory_order_relaxed) && level != Level::off; }

bool parse_level(std::string_view text, Level& level) {
    for (const Level l : {Level::debug, Level::info, Level::warning, Level::error, Level::off})
        if (name_of(l) == text) return level = l, true;
    return false;
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    if (!enabled(level)) return;
    std::string line = "{\"time\":\"" + utc_milliseconds(real_now_ms()) + "\",\"level\":\"" + std::string(name_of(level)) + "\",\"event\":";
    append_text(line, event);
    for (const Field& f : fields) {
        line += ',';
        append_text(line, f.name);
        line += ':';
        if (f.is_number) line += fmt::format_int(f.number).c_str();
        else append_text(line, f.text);
    }
    line += "}\n";
    // One write, so that lines of several threads do not mix. A log that cannot be written stops nothing.
    for (std::size_t done = 0; done < line.size();) {
        const auto n = ::write(STDERR_FILENO, line.data() + done, line.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return;
        done += static_cast<std::size_t>(n);
    }
}

}  // namespace openrd::base::log
