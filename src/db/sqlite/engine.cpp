#include "db/sqlite/engine.hpp"

#include "db/migrate.hpp"
#include "db/sqlite/backup.hpp"
#include "db/sqlite/create.hpp"
#include "db/sqlite/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace openrd::db::sqlite {
namespace {

// Connections are opened later, too: a change of the working directory must not matter.
std::string absolute(const std::string& directory) {
    auto path = std::filesystem::absolute(directory.empty() ? "." : directory).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    return path.string();
}

std::string file_of(const std::string& directory) { return absolute(directory) + "/" + file_name; }

bool there(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
}

std::unique_ptr<Connection> open_for_writing(const std::string& path, bool durable, bool every_page) {
    static constexpr Sql wal{"PRAGMA journal_mode = WAL"};
    auto connection = open_checked(path, Use::writing, durable, every_page);
    // So it was made; a copy that somebody restored may be otherwise.
    if (connection->text(wal) != "wal") throw Error(Trouble::unavailable, fmt::format("{} cannot be used with a write-ahead log", path));
    return connection;
}

Error none(const std::string& path) { return Error(Trouble::unavailable, fmt::format("there is no database {}", path)); }

}  // namespace

Engine::Engine(const std::string& path, std::unique_ptr<Connection> writing, bool durable, std::size_t write_queue, const LogLimits& limits)
    : readers_(path, durable, changes_, [this] { writer_.look_around(); }), housekeeper_(path, durable, limits, changes_, readers_),
      writer_(std::move(writing), changes_, housekeeper_, readers_, write_queue, limits) {}

void Engine::close() {
    writer_.finish();
    housekeeper_.stop();
    readers_.close();
    writer_.close();
}

std::unique_ptr<Engine> open(const OpenOptions& options, std::span<const embedded::File> migrations, const LogLimits& limits) {
    const std::string path = file_of(options.directory);
    const std::string directory = absolute(options.directory);
    const auto known = migrations_for(Dialect::sqlite, migrations);
    if (there(path)) {
        remove_leftovers(directory);
    } else if (options.create) {
        create(directory, known, options.first_content, options.durable);
    } else {
        throw none(path);
    }
    auto connection = open_for_writing(path, options.durable, options.check_every_page);
    if (options.before_migrations) look_at(*connection, options.before_migrations);
    migrate(*connection, known);
    return std::make_unique<Engine>(path, std::move(connection), options.durable, std::max<std::size_t>(options.write_queue, 1), limits);
}

MigrationState migration_state(const std::string& directory, std::span<const embedded::File> migrations) {
    const std::string path = file_of(directory);
    const auto known = migrations_for(Dialect::sqlite, migrations);
    MigrationState state{.known = known.empty() ? 0 : known.back().version};
    if (!there(path)) return state;
    state.applied = applied_version(*open_checked(path, Use::reading, true, false));
    return state;
}

int migrate(const std::string& directory, std::span<const embedded::File> migrations) {
    const std::string path = file_of(directory);
    if (!there(path)) throw none(path);
    const auto connection = open_for_writing(path, true, false);
    return migrate(*connection, migrations_for(Dialect::sqlite, migrations));
}

void back_up(const std::string& directory, const std::string& file, std::span<const embedded::File> migrations) {
    const std::string path = file_of(directory);
    if (!there(path)) throw none(path);
    back_up(path, file, migrations_for(Dialect::sqlite, migrations));
}

void restore(const std::string& file, const std::string& directory, std::span<const embedded::File> migrations, const db::Engine::Work& content) {
    restore(file, absolute(directory), migrations_for(Dialect::sqlite, migrations), content);
}

}  // namespace openrd::db::sqlite
