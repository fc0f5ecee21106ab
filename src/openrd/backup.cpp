#include "openrd/backup.hpp"

#include "db/open.hpp"
#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "store/facts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

namespace openrd {
namespace {

namespace fs = std::filesystem;

Failure failed(std::string_view doing, const std::string& path) { return Failure(fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno))); }

bool there(const std::string& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

// A file that gets its name when it is complete. What a killed process has left is taken over by the next one.
class NewFile {
  public:
    explicit NewFile(std::string path) : path_(std::move(path)), part_(path_ + ".part") {
        if (there(path_)) throw Failure(fmt::format("{} is there already", path_));
        fd_ = ::open(part_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd_ < 0) throw failed("write", part_);
        const bool alone = ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
        if (alone && ::fchmod(fd_, 0600) == 0 && ::ftruncate(fd_, 0) == 0) return;
        const auto why = alone ? failed("write", part_) : Failure(fmt::format("another process is writing {}", part_));
        ::close(fd_);
        throw why;
    }
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile() {
        if (!done_) ::unlink(part_.c_str());
        ::unlink((part_ + "-journal").c_str());
        ::close(fd_);
    }

    const std::string& part() const { return part_; }
    std::uintmax_t size() const {
        struct stat facts {};
        return ::fstat(fd_, &facts) == 0 ? static_cast<std::uintmax_t>(facts.st_size) : 0;
    }
    void sync() const {
        if (::fsync(fd_) != 0) throw failed("sync", part_);
    }
    // Over nothing that has come meanwhile, where the file system knows how.
    void give_name() {
        const auto renamed = ::renameat2(AT_FDCWD, part_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE);
        if (renamed != 0 && (errno != EINVAL || ::rename(part_.c_str(), path_.c_str()) != 0)) throw failed("name", path_);
        done_ = true;
        const auto parent = fs::path(path_).parent_path();
        const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool synced = folder >= 0 && ::fsync(folder) == 0;
        if (folder >= 0) ::close(folder);
        if (!synced) throw failed("sync the directory of", path_);
    }

  private:
    std::string path_, part_;
    int fd_ = -1;
    bool done_ = false;
};

OperatorAct act(std::string_view name, std::string_view command, const BackupCommand& words) {
    return {.account_id = std::string(server_log),
            .name = name,
            .resource_type = "ACS::OpenRD::Database",
            .resource = shown(words.place),
            .parameters = {{"File", words.file}},
            .subject_ref = {},
            .command = command};
}

void check_key(const std::string& fingerprint, const keys::Ring& ring, const BackupCommand& command) {
    if (!ring.has_fingerprint(fingerprint))
        throw Failure(fmt::format("the key file {} is not the one of the database in {}: nothing was restored", key_file(command.place), command.file));
}

constexpr const char* restored_says = "openrd restore";

void restore_file(const BackupCommand& command, const keys::Ring& ring) {
    const auto& directory = command.place.directory;
    if (there(directory + "/openrd.db")) throw Failure(fmt::format("there is a database in {} already: a backup is restored into an empty place", directory));
    std::optional<ServerLock> lock;  // no server that has lost its database under its feet
    if (there(directory)) lock.emplace(directory);
    db::restore(command.file, directory, [&](db::Transaction& tx) {
        check_key(store::find_fact(tx, store::fact_key_fingerprint).value_or(""), ring, command);
        record(tx, act("RestoreDatabase", restored_says, command), base::real_now_ms());
    });
}

void restore_url(const BackupCommand& command, const keys::Ring& ring) {
    db::restore_url(command.file, command.place.url, [&](const db::FactsOf& fact) { check_key(fact(std::string(store::fact_key_fingerprint)), ring, command); });
    auto data = open_existing_data(command.place);
    data.engine->write_and_wait([&](db::Transaction& tx) { record(tx, act("RestoreDatabase", restored_says, command), base::real_now_ms()); });
    data.engine->close();
}

}  // namespace

int back_up(const BackupCommand& command) {
    auto data = open_existing_data(command.place);
    try {
        NewFile file(command.file);
        if (command.place.url.empty()) db::back_up(command.place.directory, file.part());
        else db::back_up_url(command.place.url, file.part());
        file.sync();
        // First the record: no copy of the data is in the world of which the log knows nothing.
        data.engine->write_and_wait([&](db::Transaction& tx) { record(tx, act("BackUpDatabase", "openrd backup", command), base::real_now_ms()); });
        file.give_name();
        std::printf("%ju bytes in %s\nThe key file %s is not in it: nothing in it can be read without that file, of which you keep a copy in another place.\n", file.size(),
                    command.file.c_str(), key_file(command.place).c_str());
    } catch (...) {
        data.engine->close();
        throw;
    }
    data.engine->close();
    return 0;
}

int restore(const BackupCommand& command) {
    const auto ring = load_key(command.place);
    if (command.place.url.empty()) restore_file(command, ring);
    else restore_url(command, ring);
    std::printf("%s is restored in %s\n", command.file.c_str(), shown(command.place).c_str());
    return 0;
}

}  // namespace openrd
