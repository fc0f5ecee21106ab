#pragma once
// What SQLite's result codes mean to the rest of openrd.
#include "db/engine.hpp"

struct sqlite3;

namespace openrd::db::sqlite {

Trouble trouble_of(int code);

// "<doing>: <SQLite's own words>". Neither may hold a bound value: SQLite's words name tables and columns only.
Error error_of(sqlite3* connection, int code, std::string_view doing);

}  // namespace openrd::db::sqlite
