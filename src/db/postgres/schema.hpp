#pragma once
// The schema of a PostgreSQL database: whether it is one that we can use, and its migrations. Servers that start at the same time migrate once.
#include "db/engine.hpp"
#include "db/migrate.hpp"
#include "db/postgres/connection.hpp"

#include <span>

namespace openrd::db::postgres {

// Encoding UTF-8 and the order of bytes: what is sorted, paged and compared must not depend on a language.
// Throws Error(unavailable) with the statement that makes a right one.
void check_database(Connection& connection);

// 0: there is no schema yet.
int applied_version(Connection& connection);

// Lets `look` read, and changes nothing. Throws what it throws.
void look_at(Connection& connection, const Engine::Work& look);

// Runs what is missing in one transaction, with `first_content` when there was nothing. Returns how many migrations it ran. Throws what
// pending() throws, Error, and what `first_content` throws.
int migrate(Connection& connection, std::span<const Migration> known, bool create, const Engine::Work& first_content);

}  // namespace openrd::db::postgres
