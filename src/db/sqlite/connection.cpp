#include "db/sqlite/connection.hpp"

#include "db/sqlite/errors.hpp"

#include <sqlite3.h>

#include <cassert>
#include <cstring>
#include <mutex>

namespace openrd::db::sqlite {
namespace {

constexpr int busy_ms = 5000;  // how long another process may hold the file before a statement gives up
constexpr Sql commit{"COMMIT"};
constexpr Sql rollback{"ROLLBACK"};

// SQLite counts its memory under one lock for all threads unless told not to, before it is first used.
void start_library() {
    static std::once_flag once;
    std::call_once(once, [] {
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
        sqlite3_initialize();
    });
}

}  // namespace

Connection::Connection(const std::string& path, Use use, bool durable) {
    start_library();
    const int code = sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK) {
        const Error error = error_of(handle_, code, path);
        sqlite3_close(handle_);
        throw error;
    }
    try {
        set_up(use, durable);
    } catch (...) {
        statements_.clear();
        sqlite3_close(handle_);
        throw;
    }
}

Connection::~Connection() {
    statements_.clear();
    sqlite3_close(handle_);
}

void Connection::set_up(Use use, bool durable) {
    sqlite3_busy_timeout(handle_, busy_ms);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    // "text" in double quotes is a name in every engine but this one.
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(handle_, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    // Only the writer, which closes last, tidies up.
    if (use == Use::reading || use == Use::checkpointing) sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    execute("PRAGMA cache_size = -2048");  // KiB
    execute("PRAGMA mmap_size = 0");
    execute("PRAGMA foreign_keys = OFF");
    execute("PRAGMA cell_size_check = ON");
    execute("PRAGMA temp_store = MEMORY");
    execute("PRAGMA secure_delete = ON");  // what is erased is overwritten, not only taken off the list
    execute(durable && use != Use::building ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    if (use == Use::building) {
        execute("PRAGMA page_size = 4096");
        execute("PRAGMA journal_mode = MEMORY");
    } else if (use == Use::reading) {
        execute("PRAGMA query_only = ON");
    }
    // Takes the place of SQLite's own checkpoints.
    sqlite3_wal_hook(
        handle_,
        [](void* self, sqlite3*, const char*, int frames) {
            static_cast<Connection*>(self)->wal_frames_ = frames;
            return SQLITE_OK;
        },
        this);
}

Prepared& Connection::prepared(const Sql& sql) {
    auto& same = statements_[sql.text];
    for (const auto& statement : same) {
        if (statement->busy()) continue;
        assert(std::strcmp(statement->text_of_statement(), sql.text) == 0 && "an Sql must be a constant");
        return *statement;
    }
    return *same.emplace_back(std::make_unique<Prepared>(*this, sql.text));
}

void Connection::run(const Sql& sql) {
    Prepared& statement = prepared(sql);
    statement.begin({});
    const Rows rows(&statement);
    while (statement.step()) {}
}

std::int64_t Connection::integer(const Sql& sql) {
    Prepared& statement = prepared(sql);
    statement.begin({});
    Rows rows(&statement);
    if (!rows.next()) throw Error(Trouble::programming, "no row: " + std::string(sql.text));
    return rows.integer(0);
}

std::string Connection::text(const Sql& sql) {
    Prepared& statement = prepared(sql);
    statement.begin({});
    Rows rows(&statement);
    if (!rows.next()) throw Error(Trouble::programming, "no row: " + std::string(sql.text));
    return rows.text(0);
}

void Connection::execute(const std::string& text) {
    const int code = sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw failed(code, text);
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Connection::roll_back() noexcept {
    try {
        if (in_transaction()) run(rollback);
    } catch (const std::exception&) {
        // SQLite has rolled back by itself, or the next BEGIN says what is wrong.
    }
}

void Connection::end_read() noexcept {
    try {
        if (in_transaction()) run(commit);
    } catch (const std::exception&) { roll_back(); }
}

Error Connection::failed(int code, std::string_view doing) {
    Error error = error_of(handle_, code, doing);
    if (error.trouble() == Trouble::unavailable && !broken_) broken_ = error;
    return error;
}

std::int64_t Connection::changes() const { return sqlite3_total_changes64(handle_); }

Connection::Copied Connection::checkpoint() noexcept {
    int frames = 0;
    int copied = 0;
    if (sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &frames, &copied) != SQLITE_OK) return {};
    const bool progress = copied != copied_frames_;
    copied_frames_ = copied;
    return {.done = copied == frames, .progress = progress};
}

std::string Connection::path() const { return sqlite3_db_filename(handle_, nullptr); }

}  // namespace openrd::db::sqlite
