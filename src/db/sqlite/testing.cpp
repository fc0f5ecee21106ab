#include "db/sqlite/testing.hpp"

#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace {

std::atomic<std::uint64_t> syncs{0};
std::atomic<bool> syncs_fail{false};
std::atomic<bool> disk_is_full{false};

int counted_sync(long call, int fd) {
    ++syncs;
    if (syncs_fail) {
        errno = EIO;
        return -1;
    }
    return static_cast<int>(syscall(call, fd));
}

using Pwrite = ssize_t (*)(int, const void*, std::size_t, off_t);
std::atomic<Pwrite> real_pwrite{nullptr};

ssize_t pwrite_to_full_disk(int fd, const void* data, std::size_t size, off_t at) {
    if (!disk_is_full) return real_pwrite.load()(fd, data, size, at);
    errno = ENOSPC;
    return -1;
}

}  // namespace

// Take the place of the C library's for SQLite, too, as a program's own functions come first.
extern "C" int fsync(int fd) { return counted_sync(SYS_fsync, fd); }
extern "C" int fdatasync(int fd) { return counted_sync(SYS_fdatasync, fd); }

namespace openrd::db::sqlite::testing {

Directory::Directory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "openrd-db-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
    path_ = pattern;
}

Directory::~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::span<const embedded::File> small_schema() {
    static constexpr std::array<embedded::File, 1> files = {{{"0001_small.sql",
                                                              "CREATE TABLE notes (name TEXT NOT NULL PRIMARY KEY, amount BIGINT NOT NULL, body BLOB) /*clustered*/;\n"
                                                              "CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL) /*clustered*/;\n"}}};
    return files;
}

OpenOptions in(const Directory& directory) {
    OpenOptions options;
    options.directory = directory.path();
    options.create = true;
    return options;
}

std::unique_ptr<Engine> open_small(const OpenOptions& options, const LogLimits& limits) { return open(options, small_schema(), limits); }
std::unique_ptr<Engine> open_small(const Directory& directory) { return open_small(in(directory)); }

void add_note(Transaction& transaction, std::string_view name, std::int64_t amount) {
    static constexpr Sql sql{"INSERT INTO notes (name, amount) VALUES ($1, $2)"};
    transaction.run(sql, {name, amount});
}

std::int64_t count_notes(db::Engine& engine) {
    static constexpr Sql sql{"SELECT count(*) FROM notes"};
    std::int64_t count = -1;
    engine.read([&](Transaction& transaction) {
        auto rows = transaction.query(sql);
        if (rows.next()) count = rows.integer(0);
    });
    return count;
}

bool has_note(db::Engine& engine, std::string_view name) {
    static constexpr Sql sql{"SELECT 1 FROM notes WHERE name = $1"};
    bool found = false;
    engine.read([&](Transaction& transaction) { found = transaction.query(sql, {name}).next(); });
    return found;
}

bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 15'000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return false;
}

db::Engine::Done Answers::next() {
    return [this](Outcome outcome, const std::exception_ptr& error) {
        std::string words;
        try {
            if (error) std::rethrow_exception(error);
        } catch (const std::exception& exception) { words = exception.what(); }
        const std::lock_guard lock(mutex_);
        answers_.push_back({outcome, words});
    };
}

void Answers::wait_for(std::size_t count) {
    ASSERT_TRUE(eventually([&] { return outcomes().size() >= count; }));
}

std::vector<Outcome> Answers::outcomes() const {
    const std::lock_guard lock(mutex_);
    std::vector<Outcome> result;
    result.reserve(answers_.size());
    for (const Answer& answer : answers_) result.push_back(answer.outcome);
    return result;
}

std::size_t Answers::count(Outcome outcome) const {
    std::size_t result = 0;
    for (const Outcome each : outcomes()) result += each == outcome;
    return result;
}

std::string Answers::error(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return answers_.at(index).error;
}

std::uint64_t real_syncs() { return syncs; }
void fail_syncs(bool fail) { syncs_fail = fail; }

FullDisk::FullDisk() {
    sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
    for (const char* name : {"pwrite", "pwrite64"}) {
        const sqlite3_syscall_ptr known = vfs->xGetSystemCall(vfs, name);
        if (!known || known == reinterpret_cast<sqlite3_syscall_ptr>(pwrite_to_full_disk)) continue;
        real_pwrite = reinterpret_cast<Pwrite>(known);
        vfs->xSetSystemCall(vfs, name, reinterpret_cast<sqlite3_syscall_ptr>(pwrite_to_full_disk));
    }
    disk_is_full = true;
}

FullDisk::~FullDisk() { disk_is_full = false; }

Caught caught(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) { return {error.trouble(), error.what()}; }
    ADD_FAILURE() << "nothing was thrown";
    return {Trouble::programming, {}};
}

}  // namespace openrd::db::sqlite::testing
