#include "openrd/migrate.hpp"

#include "db/open.hpp"

#include <cstdio>

namespace openrd {

int migrate(const std::string& directory) {
    const int count = db::migrate(directory);
    const auto state = db::migration_state(directory);
    std::printf("%d migrations run, the schema is at %d of %d\n", count, state.applied, state.known);
    return 0;
}

}  // namespace openrd
