#pragma once
// Opening a database by what the operator said, whichever engine it is.
#include "db/engine.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace openrd::db {

struct OpenOptions {
    std::string directory;  // of the data; created when it is not there and `create` is set
    std::string url;        // postgresql://...: a shared database instead
    bool create = false;    // make a new database when there is none
    bool durable = true;    // false: --memory, no fsync
    std::uint32_t write_queue = 4096;
    std::uint32_t connections = 32;     // to a shared database, each with a thread
    std::int64_t deadline_ms = 10'000;  // a shared database: no statement takes longer
    // Runs inside the transaction that makes a new database, so that it is there with its first content or not at all.
    Engine::Work first_content;
    // Looks at a database before the migrations that it lacks are run: what this throws leaves it as it is. May find it of any earlier
    // schema. Not called when there is none.
    Engine::Work before_migrations;
    // Look through every page before use. Otherwise only a file of at most 8 MiB is looked through.
    bool check_every_page = false;
};

// Opens the database and runs the migrations that it lacks.
// Throws Error: damaged, newer, unavailable, each with one clear line.
std::unique_ptr<Engine> open(const OpenOptions& options);

// "postgresql://..." or "postgres://..."
bool is_url(std::string_view text);
// For messages: without the password, whatever else it holds.
std::string without_secrets(const std::string& url);

struct MigrationState {
    int known = 0;    // newest migration that this binary has
    int applied = 0;  // newest one in the database; 0: no database
};
// Changes nothing. Throws Error: damaged, unavailable. A url goes before the directory.
MigrationState migration_state(const std::string& directory, const std::string& url = {});
// Brings an existing database up to what this binary knows. Returns how many migrations it ran. Throws what open() throws.
int migrate(const std::string& directory, const std::string& url = {});

// Writes what the database in the directory holds at one moment into `file`, which is there and empty: beside whoever works on it, without
// what was deleted, every page looked through, synced. Throws Error; then what is in `file` is worth nothing.
void back_up(const std::string& directory, const std::string& file);
// Makes the database of the directory from such a file, which is looked through and brought up to this binary's schema first; `content` runs in
// it before it gets its name, so that it is there whole or not at all. Throws Error: damaged, newer, unavailable (there is one already),
// and what `content` throws.
void restore(const std::string& file, const std::string& directory, const Engine::Work& content);

// The same by PostgreSQL's own programs (pg_dump, pg_restore), which stand in PATH. The database is asked for its facts before it is restored:
// `check` throws when it is the wrong one. The database at the URL has no table yet; all of it is restored in one transaction.
void back_up_url(const std::string& url, const std::string& file);
using FactsOf = std::function<std::string(const std::string& name)>;
void restore_url(const std::string& file, const std::string& url, const std::function<void(const FactsOf& fact)>& check);

// Throws Error when the database, which has no schema of openrd, holds something else.
void refuse_tables_of_others(const std::string& url);

// How a table lies on the nodes of a Citus cluster.
struct Distribution {
    std::string table;
    std::string column;  // whose value says on which node a row is; empty: every node has all rows
};
// Tells such a cluster so, for each table that it does not know of yet. Returns how many. Can be broken off and repeated. Throws Error.
int distribute(const std::string& url, std::span<const Distribution> tables);

}  // namespace openrd::db
