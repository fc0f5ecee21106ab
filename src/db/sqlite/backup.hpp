#pragma once
// A copy of a database, taken beside whoever works on it, and a database made from such a copy.
#include "db/engine.hpp"
#include "db/migrate.hpp"

#include <span>
#include <string>

namespace openrd::db::sqlite {

// db::back_up() and db::restore() with the migrations given; `database` is the file's path.
void back_up(const std::string& database, const std::string& file, std::span<const Migration> known);
void restore(const std::string& file, const std::string& directory, std::span<const Migration> known, const Engine::Work& content);

}  // namespace openrd::db::sqlite
