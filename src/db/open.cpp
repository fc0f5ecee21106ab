#include "db/open.hpp"

#include "base/embedded.hpp"
#include "db/postgres/distribute.hpp"
#include "db/postgres/engine.hpp"
#include "db/postgres/programs.hpp"
#include "db/sqlite/engine.hpp"

namespace openrd::db {

std::unique_ptr<Engine> open(const OpenOptions& options) {
    if (!options.url.empty()) return postgres::open(options, embedded::migrations());
    return sqlite::open(options, embedded::migrations());
}

bool is_url(std::string_view text) { return text.starts_with("postgresql://") || text.starts_with("postgres://"); }

std::string without_secrets(const std::string& url) { return postgres::shown(url); }

MigrationState migration_state(const std::string& directory, const std::string& url) {
    return url.empty() ? sqlite::migration_state(directory, embedded::migrations()) : postgres::migration_state(url, embedded::migrations());
}

int migrate(const std::string& directory, const std::string& url) {
    return url.empty() ? sqlite::migrate(directory, embedded::migrations()) : postgres::migrate(url, embedded::migrations());
}

void back_up(const std::string& directory, const std::string& file) { sqlite::back_up(directory, file, embedded::migrations()); }

void restore(const std::string& file, const std::string& directory, const Engine::Work& content) { sqlite::restore(file, directory, embedded::migrations(), content); }

void back_up_url(const std::string& url, const std::string& file) { postgres::dump(url, file); }

void restore_url(const std::string& file, const std::string& url, const std::function<void(const FactsOf& fact)>& check) {
    postgres::restore_dump(file, url, migrations_for(Dialect::postgres, embedded::migrations()), check);
}

void refuse_tables_of_others(const std::string& url) { postgres::refuse_tables_of_others(url); }

int distribute(const std::string& url, std::span<const Distribution> tables) { return postgres::distribute(url, tables); }

}  // namespace openrd::db
