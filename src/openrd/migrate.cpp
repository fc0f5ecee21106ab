#include "openrd/migrate.hpp"

#include "db/open.hpp"

#include <cstdio>

namespace openrd {

int migrate(const DataPlace& place) {
    const int count = db::migrate(place.directory, place.url);
    const auto state = db::migration_state(place.directory, place.url);
    std::printf("%d migrations run, the schema is at %d of %d\n", count, state.applied, state.known);
    return 0;
}

}  // namespace openrd
