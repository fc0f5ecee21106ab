#pragma once
// The schema of a file: whether it is a database of ours, and its migrations.
#include "db/migrate.hpp"
#include "db/sqlite/connection.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace openrd::db::sqlite {

inline constexpr std::uintmax_t small_file_bytes = 8 * 1024 * 1024;

// Opens a file, and refuses what is not a whole database of ours: by its first pages, and by all of them when the file is small (at
// most 8 MiB, some milliseconds) or `every_page` asks for it. Changes nothing. Throws Error with one line that names the file.
std::unique_ptr<Connection> open_checked(const std::string& path, Use use, bool durable, bool every_page);

// The newest migration that was run. Throws Error(damaged) when there is no table of them.
int applied_version(Connection& connection);

// Throws what db::pending() throws, having changed nothing.
bool up_to_date(Connection& connection, std::span<const Migration> known);

// Lets `look` read, and changes nothing. Throws what it throws.
void look_at(Connection& connection, const db::Engine::Work& look);

// Runs the migrations that were not run yet, each in a transaction of its own. Returns how many.
int migrate(Connection& connection, std::span<const Migration> known);

// Runs one of them in the transaction that is open.
void apply(Connection& connection, const Migration& migration);

}  // namespace openrd::db::sqlite
