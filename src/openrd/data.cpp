#include "openrd/data.hpp"

#include "db/open.hpp"
#include "keys/key_file.hpp"
#include "openrd/failure.hpp"
#include "sandbox/seed.hpp"
#include "store/facts.hpp"
#include "store/key_uses.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

namespace openrd {
namespace {

constexpr std::string_view made_by_init = "init";  // store::fact_made_by

std::string key_file_of(const DataPlace& place) { return place.key_file.empty() ? place.directory + "/openrd.key" : place.key_file; }

db::OpenOptions opening(const DataPlace& place, const base::Settings& settings) {
    return {.directory = place.directory,
            .url = place.url,
            .write_queue = settings.write_queue,
            .connections = settings.database_connections,
            .deadline_ms = settings.request_deadline_ms,
            .first_content = {}};
}

bool there(const std::string& path) {
    std::error_code ignored;
    return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

std::string fact(db::Transaction& tx, std::string_view name) { return store::find_fact(tx, name).value_or(""); }

keys::Ring load_key_of_existing(const DataPlace& place) {
    const auto path = key_file_of(place);
    if (!there(path)) throw Failure(fmt::format("the key file {} of the database in {} is missing: nothing in it can be read without it", path, shown(place)));
    return keys::Ring::load(path);
}

// Into a directory that is being made, before the database gets its name: the sync that makes that name last makes the key file's
// last as well, for both stand in one directory and this one is the older.
keys::Ring make_or_load_key(const DataPlace& place) {
    const auto path = key_file_of(place);
    if (place.key_file.empty() && !there(path)) {
        if (place.url.empty()) return keys::Ring::create(path, keys::FolderSync::by_caller);
        std::filesystem::create_directories(place.directory);
        std::filesystem::permissions(place.directory, std::filesystem::perms::owner_all);
        return keys::Ring::create(path);
    }
    return keys::Ring::load(path);
}

// How a database must have been made.
enum class Origin : std::uint8_t { any, sandbox, init };

void check_origin(std::string_view made_by, Origin origin, const DataPlace& place) {
    if (origin == Origin::sandbox && made_by != sandbox::made_by)
        throw Failure(fmt::format("the database in {} was not made by the sandbox: the sandbox's keys are public, so that it serves only its own", shown(place)));
    if (origin == Origin::init && made_by != made_by_init)
        throw Failure(fmt::format("the database in {} was not made by openrd init: the sandbox's keys are public, so that it is not served in production", shown(place)));
}

// Checks that key file and database belong together before the database is migrated, or anything else is done to it.
Data open_checked(db::OpenOptions options, std::optional<keys::Ring>& ring, const DataPlace& place, Origin origin) {
    std::string audit_origin, made_by;
    options.before_migrations = [&](db::Transaction& tx) {
        // Somebody else made the database a moment ago.
        if (!ring) ring = load_key_of_existing(place);
        audit_origin = fact(tx, store::fact_audit_origin);
        made_by = fact(tx, store::fact_made_by);
        if (!ring->has_fingerprint(fact(tx, store::fact_key_fingerprint)))
            throw Failure(fmt::format("the key file {} is not the one of the database in {}", key_file_of(place), shown(place)));
        check_origin(made_by, origin, place);
        ring->use(store::load_key_uses(tx));
    };
    auto engine = db::open(options);
    if (!ring) throw Failure(fmt::format("the database in {} was not looked at", shown(place)));
    return {.engine = std::move(engine), .ring = *std::move(ring), .audit_origin = std::move(audit_origin), .made_by = std::move(made_by), .key_file = key_file_of(place)};
}

Data open_one_that_is_there(const DataPlace& place, const base::Settings& settings, Origin origin) {
    if (db::migration_state(place.directory, place.url).applied == 0) throw Failure(fmt::format("there is no database in {}", shown(place)));
    std::optional ring = load_key_of_existing(place);
    auto options = opening(place, settings);
    if (origin == Origin::any) options.connections = 2;  // for one command
    return open_checked(std::move(options), ring, place, origin);
}

}  // namespace

std::string checked_url(const std::string& text) {
    if (!text.empty() && !db::is_url(text)) throw Failure("a database is given as postgresql://user@host/name");
    return text;
}

std::string key_file(const DataPlace& place) { return key_file_of(place); }

keys::Ring load_key(const DataPlace& place) { return load_key_of_existing(place); }

std::string shown(const DataPlace& place) { return place.url.empty() ? place.directory : db::without_secrets(place.url); }

Data open_sandbox_data(const DataPlace& place, bool durable, const base::Settings& settings, const base::Clock& clock) {
    std::optional<keys::Ring> ring;
    if (db::migration_state(place.directory, place.url).applied != 0) ring = load_key_of_existing(place);
    else if (!place.key_file.empty()) ring = keys::Ring::load(place.key_file);  // refused before anything is made
    auto options = opening(place, settings);
    options.create = true;
    options.durable = durable;
    options.first_content = [&](db::Transaction& tx) {
        if (!ring) ring = make_or_load_key(place);
        ring->use_newest();
        sandbox::seed(tx, *ring, settings.audit.origin, clock.now_ms());
    };
    return open_checked(std::move(options), ring, place, Origin::sandbox);
}

Data open_production_data(const DataPlace& place, const base::Settings& settings) { return open_one_that_is_there(place, settings, Origin::init); }

Data open_existing_data(const DataPlace& place) { return open_one_that_is_there(place, {}, Origin::any); }

void make_data(const DataPlace& place, const base::Settings& settings, const std::function<void(db::Transaction&, const keys::Ring&)>& content) {
    const auto already = [&] { return Failure(fmt::format("there is a database in {} already: nothing was changed", shown(place))); };
    if (db::migration_state(place.directory, place.url).applied != 0) throw already();
    const auto key_file = key_file_of(place);
    bool made_database = false;
    auto options = opening(place, settings);
    options.create = true;
    // One process at a time is here: who makes a database waits for the others that do.
    options.first_content = [&](db::Transaction& tx) {
        const bool made_key = !there(key_file);
        auto ring = made_key ? keys::Ring::create(key_file) : keys::Ring::load(key_file);
        ring.use_newest();
        try {
            store::put_fact(tx, store::fact_made_by, made_by_init);
            store::put_fact(tx, store::fact_key_fingerprint, ring.fingerprint());
            store::put_fact(tx, store::fact_audit_origin, settings.audit.origin);
            store::put_key_uses(tx, ring.uses());
            content(tx, ring);
        } catch (...) {
            // Here, where no other init can have taken it for its own.
            if (made_key) ::unlink(key_file.c_str());
            throw;
        }
        made_database = true;
    };
    db::open(options)->close();
    if (!made_database) throw already();
}

ServerLock::ServerLock(const std::string& directory, NewDirectory may_make) : directory_(directory), path_(directory + "/serve.lock") {
    if (may_make == NewDirectory::made) {
        std::error_code ignored;
        const auto parent = std::filesystem::path(directory).parent_path();
        if (!parent.empty()) std::filesystem::create_directories(parent, ignored);
        made_directory_ = ::mkdir(directory.c_str(), 0700) == 0;
    }
    while (true) {
        made_file_ = !there(path_);
        fd_ = ::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd_ < 0) throw Failure(errno == ENOENT ? fmt::format("there is no directory {}", directory) : fmt::format("cannot lock {}: {}", directory, std::strerror(errno)));
        if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            ::close(fd_);
            throw Failure(error == EWOULDBLOCK ? fmt::format("another server is running on {}", directory) : fmt::format("cannot lock {}: {}", directory, std::strerror(error)));
        }
        // Not the file of one who has just taken it away again.
        struct stat named {
        }, locked{};
        if (::stat(path_.c_str(), &named) == 0 && ::fstat(fd_, &locked) == 0 && named.st_ino == locked.st_ino && named.st_dev == locked.st_dev) return;
        ::close(fd_);
    }
}

ServerLock::~ServerLock() {
    // What was not there before; the directory only when the server did not start, and left it empty.
    if (made_file_) ::unlink(path_.c_str());
    if (made_directory_) ::rmdir(directory_.c_str());
    ::close(fd_);
}

PrivateDirectory::PrivateDirectory() {
    std::error_code error;
    for (const std::string& parent : {std::string("/dev/shm"), std::filesystem::temp_directory_path(error).string()}) {
        std::string path = parent + "/openrd-XXXXXX";
        if (!parent.empty() && ::mkdtemp(path.data())) {
            path_ = path;
            return;
        }
    }
    throw Failure(fmt::format("no place for --memory: {}", std::strerror(errno)));
}

PrivateDirectory::~PrivateDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace openrd
