#include "keys/key_file.hpp"

#include "base/descriptor.hpp"
#include "base/identifiers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace openrd::keys {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& why) { throw FileError(fmt::format("key file {}: {}", path, why)); }
std::string reason(int error) { return std::generic_category().message(error); }

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// Zero, or the error.
int write_whole(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR) return errno;
        if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

int write_and_sync(const std::string& path, std::string_view bytes) {
    const base::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.open()) return errno;
    // The umask may have taken away what the owner needs; it cannot have added anything.
    if (::fchmod(file.get(), 0600) != 0) return errno;
    if (const int error = write_whole(file.get(), bytes)) return error;
    return ::fsync(file.get()) == 0 ? 0 : errno;
}

int sync_folder(const std::string& folder) {
    const base::Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle.open()) return errno;
    return ::fsync(handle.get()) == 0 ? 0 : errno;
}

}  // namespace

base::Secret read_key_file(const std::string& path) {
    // Not blocking, so that a pipe in its place is refused and not waited for.
    const base::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file.open()) fail(path, errno == ENOENT ? "there is no such file" : "cannot be opened: " + reason(errno));
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) fail(path, "cannot be looked at: " + reason(errno));
    if (!S_ISREG(facts.st_mode)) fail(path, "is not a regular file");
    const unsigned mode = facts.st_mode & 07777u;
    // How systemd hands a credential to a service that is not root: root's, and an access list lets that one user read it.
    const bool credential = mode == 0440 && facts.st_uid == 0 && facts.st_gid == 0;
    if (mode != 0600 && mode != 0400 && !credential) fail(path, fmt::format("has mode {:04o}, which must be 0600 or 0400", mode));
    if (facts.st_size != static_cast<off_t>(root_bytes)) fail(path, fmt::format("has {} bytes, not {}", facts.st_size, root_bytes));
    std::string bytes(root_bytes, '\0');
    std::size_t have = 0;
    while (have < root_bytes) {
        const auto count = ::read(file.get(), bytes.data() + have, root_bytes - have);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            const int error = count < 0 ? errno : EIO;
            base::wipe(bytes);
            fail(path, "cannot be read: " + reason(error));
        }
        have += static_cast<std::size_t>(count);
    }
    return base::Secret(std::move(bytes));
}

base::Secret create_key_file(const std::string& path, FolderSync folder) {
    base::Secret root(base::random_bytes(root_bytes));
    // Written aside and linked into place: link(2) refuses when something is there, and a crash leaves no half-written key behind,
    // which the next start could only refuse.
    const std::string aside = path + base::identifier(".new-", 12);
    int error = write_and_sync(aside, root.reveal());
    if (error == 0 && ::link(aside.c_str(), path.c_str()) != 0) error = errno;
    ::unlink(aside.c_str());
    if (error == EEXIST) fail(path, "is there already");
    if (error != 0) fail(path, "cannot be made: " + reason(error));
    if (const int unsynced = folder == FolderSync::now ? sync_folder(folder_of(path)) : 0) {
        ::unlink(path.c_str());
        fail(path, "cannot be made: its folder does not sync: " + reason(unsynced));
    }
    return root;
}

}  // namespace openrd::keys
