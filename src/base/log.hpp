#pragma once
// The log: one JSON line per event on stderr. No secret and no datum of a person is ever given to it: values are identifiers,
// codes, numbers and texts of our own.
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace openrd::base::log {

enum class Level : std::uint8_t { debug, info, warning, error, off };

void set_level(Level level);
bool enabled(Level level);
// "debug", "info", "warning", "error" or "off".
bool parse_level(std::string_view text, Level& level);

struct Field {
    Field(std::string_view n, std::string_view v) : name(n), text(v) {}
    Field(std::string_view n, const char* v) : name(n), text(v) {}
    Field(std::string_view n, const std::string& v) : name(n), text(v) {}
    Field(std::string_view n, std::int64_t v) : name(n), number(v), is_number(true) {}
    std::string_view name;
    std::string_view text;
    std::int64_t number = 0;
    bool is_number = false;
};

// {"time":"2026-11-24T13:00:00.000Z","level":"info","event":"ready","address":"127.0.0.1:8080"}
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::debug, event, fields); }
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::info, event, fields); }
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::warning, event, fields); }
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) { write(Level::error, event, fields); }

}  // namespace openrd::base::log
