#include "openrd/migrate.hpp"

#include "db/open.hpp"

#include <cstdio>
#include <filesystem>

namespace openrd {
namespace {

// A schema may be brought up from a machine that has no key; where there is one, it must be the database's own.
bool has_key(const DataPlace& place) {
    std::error_code ignored;
    return place.url.empty() || !place.key_file.empty() || std::filesystem::exists(place.directory + "/openrd.key", ignored);
}

}  // namespace

int migrate(const DataPlace& place) {
    const auto before = db::migration_state(place.directory, place.url);
    if (before.applied != 0 && has_key(place)) open_existing_data(place).engine->close();  // runs what is missing
    else db::migrate(place.directory, place.url);
    const auto after = db::migration_state(place.directory, place.url);
    std::printf("%d migrations run, the schema is at %d of %d\n", after.applied - before.applied, after.applied, after.known);
    return 0;
}

}  // namespace openrd
