#pragma once
// What the tests of the engine share: a directory that goes away, a small schema, and the process's real calls of fsync.
#include "base/embedded.hpp"
#include "db/open.hpp"
#include "db/sqlite/engine.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::db::sqlite::testing {

class Directory {
  public:
    Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();
    std::string path() const { return path_ + "/data"; }  // not made yet
    std::string file() const { return path() + "/openrd.db"; }

  private:
    std::string path_;
};

// notes(name, amount, body) and counters(name, value).
std::span<const embedded::File> small_schema();

OpenOptions in(const Directory& directory);
std::unique_ptr<Engine> open_small(const OpenOptions& options, const LogLimits& limits = {});
std::unique_ptr<Engine> open_small(const Directory& directory);

void add_note(Transaction& transaction, std::string_view name, std::int64_t amount = 0);
std::int64_t count_notes(db::Engine& engine);
bool has_note(db::Engine& engine, std::string_view name);

// Waits until `condition` holds, or for half a minute: what has not come by then does not come.
[[nodiscard]] bool eventually(const std::function<bool()>& condition);

// Outcomes in the order in which they were given.
class Answers {
  public:
    db::Engine::Done next();  // of one write
    void wait_for(std::size_t count);
    std::vector<Outcome> outcomes() const;
    std::size_t count(Outcome outcome) const;
    std::string error(std::size_t index) const;  // its words; empty when there was none

  private:
    struct Answer {
        Outcome outcome;
        std::string error;
    };
    mutable std::mutex mutex_;
    std::vector<Answer> answers_;
};

// fsync and fdatasync of this process, SQLite's own included.
std::uint64_t real_syncs();
void fail_syncs(bool fail);

// Lets the disk be full for SQLite: every write of it fails as write(2) does then.
class FullDisk {
  public:
    FullDisk();
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;
    ~FullDisk();
};

// The words of the Error that `work` throws, and its trouble.
struct Caught {
    Trouble trouble;
    std::string what;
};
Caught caught(const std::function<void()>& work);

}  // namespace openrd::db::sqlite::testing
