#include "keys/key_file.hpp"

#include "base/descriptor.hpp"
#include "base/identifiers.hpp"
#include "keys/box.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
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

int write_and_sync(const std::string& path, std::string_view bytes, mode_t mode = 0600) {
    const base::Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.open()) return errno;
    // The umask may have taken away what the owner needs; it cannot have added anything.
    if (::fchmod(file.get(), mode) != 0) return errno;
    if (const int error = write_whole(file.get(), bytes)) return error;
    return ::fsync(file.get()) == 0 ? 0 : errno;
}

int sync_folder(const std::string& folder) {
    const base::Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle.open()) return errno;
    return ::fsync(handle.get()) == 0 ? 0 : errno;
}

constexpr std::string_view heading = "openrd key file\n";
constexpr std::size_t number_bytes = 4, sum_bytes = crypto_generichash_BYTES;
constexpr std::size_t size_of(std::size_t roots) { return heading.size() + number_bytes + roots * (number_bytes + root_bytes) + sum_bytes; }

void put_number(std::string& to, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift & 0xFFU);
}

std::uint32_t number_at(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < number_bytes; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

std::string sum_of(std::string_view bytes) {
    std::string sum(sum_bytes, '\0');
    crypto_generichash(reinterpret_cast<unsigned char*>(sum.data()), sum.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr, 0);
    return sum;
}

base::Secret written(const Roots& roots) {
    std::string bytes;
    bytes.reserve(size_of(roots.size()));  // no growing leaves a copy behind
    bytes += heading;
    put_number(bytes, static_cast<std::uint32_t>(roots.size()));
    for (const auto& root : roots) {
        put_number(bytes, root.id);
        bytes += root.bytes.reveal();
    }
    bytes += sum_of(bytes);
    return base::Secret(std::move(bytes));
}

// Nothing: that is no whole key file.
std::optional<Roots> parse(std::string_view bytes) {
    Roots roots;
    if (bytes.size() == root_bytes) {
        roots.push_back({.id = 1, .bytes = base::Secret(std::string(bytes))});
        return roots;
    }
    if (bytes.size() < size_of(1) || !bytes.starts_with(heading)) return {};
    const std::size_t count = number_at(bytes, heading.size());
    if (count == 0 || count > most_roots || bytes.size() != size_of(count)) return {};
    if (bytes.substr(bytes.size() - sum_bytes) != sum_of(bytes.substr(0, bytes.size() - sum_bytes))) return {};
    roots.reserve(count);
    for (std::size_t i = 0, at = heading.size() + number_bytes; i < count; ++i, at += number_bytes + root_bytes) {
        const auto id = number_at(bytes, at);
        if (!roots.empty() && id <= roots.back().id) return {};
        roots.push_back({.id = id, .bytes = base::Secret(std::string(bytes.substr(at + number_bytes, root_bytes)))});
    }
    if (roots.back().id == 0) return {};
    return roots;
}

}  // namespace

base::Secret nonce_key_of(const Root& root) {
    unsigned char pseudorandom[key_bytes];
    unsigned char key[key_bytes];
    hkdf_extract(root.bytes.reveal(), pseudorandom);
    hkdf_expand(pseudorandom, fmt::format("openrd/nonce/{}", root.id), key);
    base::Secret result(std::string(reinterpret_cast<const char*>(key), sizeof key));
    sodium_memzero(pseudorandom, sizeof pseudorandom);
    sodium_memzero(key, sizeof key);
    return result;
}

Roots read_key_file(const std::string& path) {
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
    const auto size = static_cast<std::size_t>(facts.st_size);
    if (size != root_bytes && (size < size_of(1) || size > size_of(most_roots))) fail(path, fmt::format("has {} bytes, not {}", facts.st_size, root_bytes));
    std::string bytes(size, '\0');
    std::size_t have = 0;
    while (have < size) {
        const auto count = ::read(file.get(), bytes.data() + have, size - have);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) {
            const int error = count < 0 ? errno : EIO;
            base::wipe(bytes);
            fail(path, "cannot be read: " + reason(error));
        }
        have += static_cast<std::size_t>(count);
    }
    const base::Secret content(std::move(bytes));
    auto roots = parse(content.reveal());
    if (!roots) fail(path, "is not a whole key file");
    return *std::move(roots);
}

void replace_key_file(const std::string& path, const Roots& roots) {
    std::error_code error_code;
    const auto target = std::filesystem::canonical(path, error_code).string();
    if (error_code) fail(path, "cannot be replaced: " + error_code.message());
    struct stat facts {};
    if (::stat(target.c_str(), &facts) != 0) fail(path, "cannot be looked at: " + reason(errno));
    const std::string aside = target + base::identifier(".new-", 12);
    int error = write_and_sync(aside, written(roots).reveal(), facts.st_mode & 0600u);
    // The same owner, so that a server that runs as somebody else can still read it.
    if (error == 0 && (facts.st_uid != ::geteuid() || facts.st_gid != ::getegid()) && ::chown(aside.c_str(), facts.st_uid, facts.st_gid) != 0) error = errno;
    if (error == 0 && ::rename(aside.c_str(), target.c_str()) != 0) error = errno;
    if (error == 0) error = sync_folder(folder_of(target));
    ::unlink(aside.c_str());
    if (error != 0) fail(path, "cannot be replaced: " + reason(error));
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
