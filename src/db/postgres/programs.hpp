#pragma once
// PostgreSQL's own programs for dumps, run without a shell: pg_dump and pg_restore, of PostgreSQL 14 or newer, found in PATH.
#include "db/migrate.hpp"
#include "db/open.hpp"

#include <functional>
#include <span>
#include <string>

namespace openrd::db::postgres {

// A dump in pg_dump's own format, of one moment, into `file`. Synced. The password is in the program's environment, never in its arguments.
// Throws Error(unavailable) with the program's words, or because it is not there or too old.
void dump(const std::string& url, const std::string& file);

// The same, backwards, into a database without any table: the file is read to its end first, its schema compared with what is known, and `fact`, by
// which it can be asked for the facts in it, given to `check`. Then all of it is restored in one transaction, or nothing.
// Throws Error: damaged, newer, unavailable, and what `check` throws, having changed nothing.
void restore_dump(const std::string& file, const std::string& url, std::span<const Migration> known, const std::function<void(const FactsOf& fact)>& check);

// db::refuse_tables_of_others().
void refuse_tables_of_others(const std::string& url);

}  // namespace openrd::db::postgres
