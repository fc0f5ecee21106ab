#pragma once
// Making a new database: beside its place, without syncs, then synced once and renamed, so that it is there whole or not at all
// (hot-path.md "Ready").
#include "db/engine.hpp"
#include "db/migrate.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace openrd::db::sqlite {

inline constexpr const char* file_name = "openrd.db";

// Creates the directory (0700) if need be, and in it the database (0600) with its schema and first content. Does nothing when
// there is one. Two syncs: of the file and of the directory. Throws Error, and what `first_content` throws; no file is left then.
// What an attempt that was cut off has left is removed. Processes that do this at the same time wait for each other.
void create(const std::string& directory, std::span<const Migration> migrations, const Engine::Work& first_content, bool durable);

// The same for a file that `build` makes at the path that it is given. False: there is a database, and nothing was done.
bool put_in_place(const std::string& directory, const std::function<void(const std::string& path)>& build, bool durable);

// The same for a directory that holds a database: removes what a cut off attempt has left, unless one is going on.
void remove_leftovers(const std::string& directory);

// fsync calls made here since the process began, for tests.
std::uint64_t sync_count();

}  // namespace openrd::db::sqlite
