#include "support/server_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace openrd::tests {
namespace {

constexpr std::size_t shown_of_log = 4000;

ProcessOwner find_owner() {
    if (geteuid() != 0) return {geteuid(), getegid(), false};
    for (const char* name : {"nobody", "postgres"})
        if (const passwd* entry = getpwnam(name)) return {entry->pw_uid, entry->pw_gid, true};
    throw std::runtime_error("no user but root to run a server as");
}

// Between fork and exec: system calls only.
[[noreturn]] void become(char* const* words, char* const* environment, const char* directory, int log, const ProcessOwner& owner, pid_t parent) {
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(log, 1);
    dup2(log, 2);
    close_range(3, ~0U, 0);
    if (chdir(directory) != 0) _exit(126);
    if (owner.another && (setgroups(0, nullptr) != 0 || setgid(owner.gid) != 0 || setuid(owner.uid) != 0)) _exit(126);
    umask(077);
    // After setuid, which forgets it.
    prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (getppid() != parent) _exit(126);
    execve(words[0], words, environment);
    _exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    result.reserve(words.size() + 1);
    for (auto& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

void remove_left_behind(const std::filesystem::path& parent, const std::string& prefix) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with(prefix)) continue;
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
        if (error == std::errc() && end != name.data() + name.size() && *end == '-' && kill(pid, 0) != 0 && errno == ESRCH) std::filesystem::remove_all(entry.path(), ignored);
    }
}

}  // namespace

const ProcessOwner& server_owner() {
    static const ProcessOwner owner = find_owner();
    return owner;
}

pid_t start_process(const std::vector<std::string>& words, const std::string& directory) {
    std::vector<std::string> arguments = words, environment = {"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + directory};
    const auto argument_pointers = pointers(arguments), environment_pointers = pointers(environment);
    const int log = open((directory + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) throw std::runtime_error("no log in " + directory);
    const auto& owner = server_owner();
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) become(argument_pointers.data(), environment_pointers.data(), directory.c_str(), log, owner, parent);
    close(log);
    if (pid < 0) throw std::runtime_error("fork failed");
    return pid;
}

void run_process(const std::vector<std::string>& words, const std::string& directory) {
    const pid_t pid = start_process(words, directory);
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error(words.front() + " failed:\n" + log_tail(directory));
}

std::string server_directory(const std::string& prefix) {
    // Not TMPDIR: a socket's name is short, and another user must be able to come here.
    const std::filesystem::path parent = "/tmp";
    remove_left_behind(parent, prefix + "-");
    std::string path = parent / (prefix + "-" + std::to_string(getpid()) + "-XXXXXX");
    if (!mkdtemp(path.data())) throw std::runtime_error("no temporary directory for a server");
    const auto& owner = server_owner();
    if (owner.another && chown(path.c_str(), owner.uid, owner.gid) != 0) throw std::runtime_error("chown failed: " + path);
    return path;
}

int free_port() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool good = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    if (fd >= 0) close(fd);
    if (!good) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

std::string file_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string log_tail(const std::string& directory) {
    std::string text = file_text(directory + "/log");
    return text.size() > shown_of_log ? text.substr(text.size() - shown_of_log) : text;
}

}  // namespace openrd::tests
