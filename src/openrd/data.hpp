#pragma once
// The data directory: the database, and the key file that it belongs to. What does not belong together is refused, and what is
// refused is not touched.
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "db/engine.hpp"
#include "keys/ring.hpp"

#include <functional>
#include <memory>
#include <string>

namespace openrd {

inline constexpr std::string_view default_data_directory = "./openrd-data";

struct Data {
    std::unique_ptr<db::Engine> engine;
    keys::Ring ring;
    std::string audit_origin;
    std::string made_by;  // store::fact_made_by
    std::string key_file = {};
};

struct DataPlace {
    std::string directory;
    std::string key_file = {};  // empty: openrd.key in the directory
    std::string url = {};       // of a database: then the directory holds the key file only
    std::string config = {};    // as a command was told: the file that says all of this
};
// As an option or a setting gives it; empty stays empty. Throws Failure for what is no postgresql:// URL.
std::string checked_url(const std::string& text);
// Where its key file is, and what is in it; for a database that is there or is to be. Throws Failure when it is missing, keys::FileError.
std::string key_file(const DataPlace& place);
keys::Ring load_key(const DataPlace& place);
// For messages.
std::string shown(const DataPlace& place);

// For the sandbox: makes the directory, the key file and the database with the seed when they are not there. A key file that was
// named must be there: a new one in its stead would be a typing mistake made durable. Throws Failure, db::Error, keys::FileError.
Data open_sandbox_data(const DataPlace& place, bool durable, const base::Settings& settings, const base::Clock& clock);

// For `openrd serve --config`: one that `openrd init` made. A sandbox's keys are public, so that one is refused.
Data open_production_data(const DataPlace& place, const base::Settings& settings);

// For `openrd init`: makes the database with this content, and the key file when it is not there. Throws Failure when there is a database
// already, or somebody else has just made it. After a crash there is a whole database or none, and perhaps a key file, which the
// next try uses.
void make_data(const DataPlace& place, const base::Settings& settings, const std::function<void(db::Transaction&, const keys::Ring&)>& content);

// For the commands, beside a server or without one: a database that is there. The same exceptions.
Data open_existing_data(const DataPlace& place);

// One server at a time on a data directory: two would not know each other's nonces. Held until it goes. Taken before the database is
// opened or migrated. Throws Failure.
class ServerLock {
  public:
    enum class NewDirectory : std::uint8_t { refused, made };
    // Makes the directory (0700) when it is to be. What it made goes with it, a directory only when it is empty.
    explicit ServerLock(const std::string& directory, NewDirectory may_make = NewDirectory::refused);
    ServerLock(const ServerLock&) = delete;
    ServerLock& operator=(const ServerLock&) = delete;
    ~ServerLock();

  private:
    std::string directory_, path_;
    bool made_directory_ = false, made_file_ = false;
    int fd_ = -1;
};

// A directory that goes with its owner, on a memory file system when there is one: for `--memory`. Mode 0700. Throws Failure.
class PrivateDirectory {
  public:
    PrivateDirectory();
    PrivateDirectory(const PrivateDirectory&) = delete;
    PrivateDirectory& operator=(const PrivateDirectory&) = delete;
    ~PrivateDirectory();
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

}  // namespace openrd
