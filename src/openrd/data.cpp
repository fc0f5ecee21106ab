#include "openrd/data.hpp"

#include "db/open.hpp"
#include "keys/key_file.hpp"
#include "openrd/failure.hpp"
#include "sandbox/seed.hpp"
#include "store/facts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace openrd {
namespace {

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

struct Facts {
    std::string made_by, fingerprint, audit_origin;
};
Facts read_facts(db::Engine& engine) {
    Facts facts;
    engine.read([&](db::Transaction& tx) {
        facts.made_by = store::find_fact(tx, store::fact_made_by).value_or("");
        facts.fingerprint = store::find_fact(tx, store::fact_key_fingerprint).value_or("");
        facts.audit_origin = store::find_fact(tx, store::fact_audit_origin).value_or("");
    });
    engine.idle();
    return facts;
}

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

Data checked(std::unique_ptr<db::Engine> engine, keys::Ring ring, const DataPlace& place) {
    auto facts = read_facts(*engine);
    if (facts.fingerprint != ring.fingerprint()) {
        engine->close();
        throw Failure(fmt::format("the key file {} is not the one of the database in {}", key_file_of(place), shown(place)));
    }
    return {.engine = std::move(engine), .ring = std::move(ring), .audit_origin = std::move(facts.audit_origin), .made_by = std::move(facts.made_by)};
}

}  // namespace

std::string checked_url(const std::string& text) {
    if (!text.empty() && !db::is_url(text)) throw Failure("a database is given as postgresql://user@host/name");
    return text;
}

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
        sandbox::seed(tx, *ring, settings.audit.origin, clock.now_ms());
    };
    auto engine = db::open(options);
    // Somebody else made the database a moment ago.
    if (!ring) ring = load_key_of_existing(place);
    auto data = checked(std::move(engine), *std::move(ring), place);
    if (data.made_by != sandbox::made_by) {
        data.engine->close();
        throw Failure(fmt::format("the database in {} was not made by the sandbox: the sandbox's keys are public, so that it serves only its own", shown(place)));
    }
    return data;
}

Data open_existing_data(const DataPlace& place) {
    if (db::migration_state(place.directory, place.url).applied == 0) throw Failure(fmt::format("there is no database in {}", shown(place)));
    auto ring = load_key_of_existing(place);
    auto options = opening(place, {});
    options.connections = 2;  // for one command
    return checked(db::open(options), std::move(ring), place);
}

ServerLock::ServerLock(const std::string& directory) : fd_(::open((directory + "/serve.lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (fd_ < 0) throw Failure(fmt::format("cannot lock {}: {}", directory, std::strerror(errno)));
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    const int error = errno;
    ::close(fd_);
    throw Failure(error == EWOULDBLOCK ? fmt::format("another server is running on {}", directory) : fmt::format("cannot lock {}: {}", directory, std::strerror(error)));
}

ServerLock::~ServerLock() { ::close(fd_); }

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
