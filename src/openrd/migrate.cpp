#include "openrd/migrate.hpp"

#include "db/open.hpp"
#include "openrd/failure.hpp"
#include "store/everything.hpp"

#include <cstdio>
#include <filesystem>
#include <vector>

namespace openrd {
namespace {

// A schema may be brought up from a machine that has no key; where there is one, it must be the database's own.
bool has_key(const DataPlace& place) {
    std::error_code ignored;
    return place.url.empty() || !place.key_file.empty() || std::filesystem::exists(place.directory + "/openrd.key", ignored);
}

void make_schema(const std::string& url) { db::open({.directory = {}, .url = url, .create = true, .connections = 1, .first_content = {}, .before_migrations = {}})->close(); }

void distribute(const std::string& url) {
    std::vector<db::Distribution> tables;
    for (const auto& table : store::tables()) tables.push_back({.table = std::string(table.name()), .column = table.distribution});
    std::printf("%d tables distributed\n", db::distribute(url, tables));
}

}  // namespace

int migrate(const DataPlace& place, const std::string& distributed) {
    if (!distributed.empty() && distributed != "citus") throw Failure("--distributed knows citus, and nothing else");
    if (!distributed.empty() && place.url.empty()) throw Failure("--distributed goes with --database: a file is in one place");
    const auto before = db::migration_state(place.directory, place.url);
    if (before.applied == 0 && !distributed.empty()) make_schema(place.url);
    else if (before.applied != 0 && distributed.empty() && has_key(place)) open_existing_data(place).engine->close();  // runs what is missing
    else db::migrate(place.directory, place.url);
    const auto after = db::migration_state(place.directory, place.url);
    std::printf("%d migrations run, the schema is at %d of %d\n", after.applied - before.applied, after.applied, after.known);
    if (!distributed.empty()) distribute(place.url);
    return 0;
}

}  // namespace openrd
