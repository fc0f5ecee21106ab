#include "db/open.hpp"

#include "base/embedded.hpp"
#include "db/sqlite/engine.hpp"

namespace openrd::db {

std::unique_ptr<Engine> open(const OpenOptions& options) { return sqlite::open(options, embedded::migrations()); }

MigrationState migration_state(const std::string& directory) { return sqlite::migration_state(directory, embedded::migrations()); }

int migrate(const std::string& directory) { return sqlite::migrate(directory, embedded::migrations()); }

}  // namespace openrd::db
