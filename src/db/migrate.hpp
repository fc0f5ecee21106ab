#pragma once
// The schema's migrations: files NNNN_name.sql of db/migrations, run in order and once. NNNN_name.sqlite.sql or
// NNNN_name.postgres.sql takes the place of the general text for one engine. A statement ends with ';' at the end of a line.
#include "base/embedded.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::db {

enum class Dialect : std::uint8_t { sqlite, postgres };

struct Migration {
    int version = 0;
    std::string name;
    std::string checksum;  // SHA-256 of the file, in hex
    std::vector<std::string> statements;
};

// In order. Throws Error(programming) for a name that does not fit or a number that is there twice.
std::vector<Migration> migrations_for(Dialect dialect, std::span<const embedded::File> files);

// One that a database says was run.
struct Applied {
    int version = 0;
    std::string checksum;
};

// Those that are still to be run, in order. `applied` is in order of the versions.
// `works_from`: what the database says of itself (schema_compatibility): the migration that an openrd must know at least to work
// with it; 0: it does not say. So servers of the last release go on, and may be started, while a newer one has only added to the schema ("expand, then contract").
// Throws Error: newer for a version that this binary cannot work with, damaged when one was changed after it was run or left out.
std::span<const Migration> pending(std::span<const Migration> known, std::span<const Applied> applied, int works_from);

// Splits at each ';' that ends a line outside of quotes and comments; what holds only comments is left out.
std::vector<std::string> statements_of(std::string_view text);

inline constexpr const char* migrations_table =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at_ms BIGINT NOT NULL)";

}  // namespace openrd::db
