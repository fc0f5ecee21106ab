#include "db/sqlite/create.hpp"

#include "db/sqlite/schema.hpp"
#include "db/sqlite/transaction.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace openrd::db::sqlite {
namespace {

constexpr const char* building_name = "openrd.db.new";
constexpr std::array<std::string_view, 4> companions = {"", "-journal", "-wal", "-shm"};
std::atomic<std::uint64_t> syncs{0};

Error system_error(std::string_view doing, const std::string& path) { return Error(Trouble::unavailable, fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno))); }

class Descriptor {
  public:
    Descriptor(const std::string& path, int flags, mode_t mode = 0) : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
        if (fd_ < 0) throw system_error("open", path);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd_); }

    void sync() const {
        ++syncs;
        if (::fsync(fd_) != 0) throw system_error("sync", path_);
    }
    // One creator at a time. A file system without such locks is not held against anybody.
    bool lock(int how) const {
        int result = 0;
        do result = ::flock(fd_, how);
        while (result != 0 && errno == EINTR);
        return result == 0 || errno != EWOULDBLOCK;
    }

  private:
    std::string path_;
    int fd_;
};

// Whether this call made it.
bool make_directory(const std::string& directory) {
    std::error_code error;
    if (const auto parent = std::filesystem::path(directory).parent_path(); !parent.empty()) std::filesystem::create_directories(parent, error);
    if (::mkdir(directory.c_str(), 0700) == 0) return true;
    if (errno != EEXIST) throw system_error("create the directory", directory);
    return false;
}

void remove_files(const std::string& building) {
    for (const auto companion : companions) ::unlink((building + std::string(companion)).c_str());
}

// Takes back what was made unless it came to its end.
class Attempt {
  public:
    Attempt(std::string directory, std::string building, bool made_directory) : directory_(std::move(directory)), building_(std::move(building)), made_directory_(made_directory) {
        remove_files(building_);
    }
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt() {
        if (done_) return;
        remove_files(building_);
        if (made_directory_) ::rmdir(directory_.c_str());  // only when it is empty
    }
    void done() { done_ = true; }

  private:
    std::string directory_;
    std::string building_;
    bool made_directory_;
    bool done_ = false;
};

void build(const std::string& path, std::span<const Migration> migrations, const Engine::Work& first_content) {
    static constexpr Sql begin{"BEGIN IMMEDIATE"};
    static constexpr Sql commit{"COMMIT"};
    static constexpr Sql wal{"PRAGMA journal_mode = WAL"};
    // SQLite gives its other files the mode of this one.
    { const Descriptor made(path, O_CREAT | O_EXCL | O_RDWR, 0600); }
    Connection connection(path, Use::building, false);
    connection.run(begin);
    connection.execute(migrations_table);
    for (const Migration& migration : migrations) apply(connection, migration);
    if (first_content) {
        OpenTransaction transaction(connection, OpenTransaction::Access::writes);
        first_content(transaction);
        if (connection.broken()) throw Error(*connection.broken());
        if (transaction.open_savepoints() != 0) throw Error(Trouble::programming, "the first content left a savepoint open");
    }
    connection.run(commit);
    if (connection.text(wal) != "wal") throw Error(Trouble::unavailable, fmt::format("the file system of {} has no shared memory for SQLite", path));
}

}  // namespace

bool put_in_place(const std::string& directory, const std::function<void(const std::string& path)>& build_at, bool durable) {
    const bool made_directory = make_directory(directory);
    const std::string path = directory + "/" + file_name;
    const std::string building = directory + "/" + building_name;
    const Descriptor folder(directory, O_RDONLY | O_DIRECTORY);
    folder.lock(LOCK_EX);
    if (::access(path.c_str(), F_OK) == 0) return false;
    Attempt attempt(directory, building, made_directory);
    build_at(building);
    if (durable) Descriptor(building, O_RDONLY).sync();
    // What a lost database has left must not be taken for the new one's.
    for (const auto companion : companions)
        if (!companion.empty()) ::unlink((path + std::string(companion)).c_str());
    if (::rename(building.c_str(), path.c_str()) != 0) throw system_error("name", path);
    attempt.done();
    if (durable) folder.sync();
    return true;
}

void create(const std::string& directory, std::span<const Migration> migrations, const Engine::Work& first_content, bool durable) {
    put_in_place(
        directory, [&](const std::string& path) { build(path, migrations, first_content); }, durable);
}

void remove_leftovers(const std::string& directory) {
    const std::string building = directory + "/" + building_name;
    if (::access(building.c_str(), F_OK) != 0) return;
    const Descriptor folder(directory, O_RDONLY | O_DIRECTORY);
    if (folder.lock(LOCK_EX | LOCK_NB)) remove_files(building);
}

std::uint64_t sync_count() { return syncs; }

}  // namespace openrd::db::sqlite
