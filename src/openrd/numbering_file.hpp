#pragma once
// The operator's table of the world's mobile numbers: where it lies, how it comes there, and which one a server uses.
#include "phone/numbering.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace openrd {

// Older tables refuse numbers that were assigned since.
inline constexpr int old_after_days = 183;

// Where the table lies unless the settings say so: numbering.json in the data directory.
std::string numbering_path(const std::string& configured, const std::string& data_directory);

// Days since the table was released, "2026-11-10"; nothing when that is no date.
std::optional<std::int64_t> numbering_age_days(const std::string& released, std::int64_t now_ms);

// The table in the file; nothing when there is none. Throws Failure for one that cannot be read or is no table.
std::unique_ptr<phone::Numbering> read_numbering_file(const std::string& path);

// What a server uses: the file's table when it is newer than the built-in one.
class NumberingInUse {
  public:
    // Throws Failure for a file that is no table: a server does not start on half of its configuration. `must_be_there`: the settings
    // name it.
    NumberingInUse(const std::string& path, bool must_be_there) : NumberingInUse(path, read(path, must_be_there)) {}
    // With what read() gave: so that a server finds a bad file before it touches anything, and makes the built-in table beside the rest
    // of its start.
    NumberingInUse(std::string path, const std::unique_ptr<phone::Numbering>& own);
    static std::unique_ptr<phone::Numbering> read(const std::string& path, bool must_be_there);

    const phone::Numbering& table() const { return table_; }
    // SIGHUP: reads the file anew. One that is no table, or older than what is in use, is named in the log, and what is in use stays.
    void reload();
    // Once a second: says in the log, once a day, that the table is old.
    void housekeep(std::int64_t now_ms);
    // For those who watch; empty: nothing to say.
    std::string warning(std::int64_t now_ms) const;

  private:
    const std::string path_;
    phone::Numbering table_;
    std::int64_t said_day_ = 0;
};

struct NumberingOptions {
    std::string config;  // the configuration file, which then says the two below
    std::string data_directory;
    std::string path;  // as in the settings; empty: in the data directory
    std::string file;  // update: the new table
};
// Checks the table and puts it where a server reads it, in one step; an older one than that which is there is refused. 0; Failure.
int numbering_update(const NumberingOptions&);
// Which table a server would use, and how old it is. 0, or 1 when it is old.
int numbering_status(const NumberingOptions&);

}  // namespace openrd
