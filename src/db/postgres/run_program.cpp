#include "db/postgres/run_program.hpp"

#include "db/engine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace openrd::db::postgres {
namespace {

constexpr std::size_t most_output = 1024 * 1024, most_words = 500;

Error trouble(std::string_view doing, const std::string& path) { return {Trouble::unavailable, fmt::format("cannot {} {}: {}", doing, path, std::strerror(errno))}; }

// A file without a name that a program writes into.
class Written {
  public:
    Written() : fd_(::memfd_create("openrd", MFD_CLOEXEC)) {
        if (fd_ < 0) throw trouble("make", "a file in memory");
    }
    Written(const Written&) = delete;
    Written& operator=(const Written&) = delete;
    ~Written() { ::close(fd_); }
    int descriptor() const { return fd_; }
    std::string text(std::size_t most) const {
        std::string result(most, '\0');
        const auto count = ::pread(fd_, result.data(), most, 0);
        result.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
        return result;
    }

  private:
    int fd_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (auto& text : texts) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

// The additions stand in the place of what the environment says already.
std::vector<std::string> whole_environment(const std::vector<std::string>& additions) {
    std::vector<std::string> all = additions;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto name = text.substr(0, text.find('=') + 1);
        if (std::ranges::none_of(additions, [&](const std::string& added) { return added.starts_with(name); })) all.emplace_back(text);
    }
    return all;
}

[[noreturn]] void become(const char* path, char* const* arguments, char* const* environment, int output, int words, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it has ended already
    const int nothing = ::open("/dev/null", O_RDONLY);
    if (::dup2(nothing, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(words, 2) < 0) ::_exit(127);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(path, arguments, environment);
    ::_exit(127);
}

}  // namespace

std::string find_program(const std::string& name) {
    const char* path = std::getenv("PATH");
    std::string_view rest = path ? path : "/usr/local/bin:/usr/bin:/bin";
    while (!rest.empty()) {
        const auto end = rest.find(':');
        auto found = fmt::format("{}/{}", rest.substr(0, end), name);
        if (rest.front() == '/' && ::access(found.c_str(), X_OK) == 0) return found;
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    }
    throw Error(Trouble::unavailable, fmt::format("{} is not installed, or not in PATH (Debian: postgresql-client): a PostgreSQL database is backed up and restored by it", name));
}

Ran run_program(const std::string& path, const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
    std::vector<std::string> all_arguments = {path};
    all_arguments.insert(all_arguments.end(), arguments.begin(), arguments.end());
    auto all_environment = whole_environment(environment);
    const auto argv = pointers(all_arguments), envp = pointers(all_environment);
    const Written output, words;
    const pid_t self = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw trouble("run", path);
    if (child == 0) become(path.c_str(), argv.data(), envp.data(), output.descriptor(), words.descriptor(), self);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0)
        if (errno != EINTR) throw trouble("wait for", path);
    Ran ran{.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1, .output = output.text(most_output), .words = words.text(most_words)};
    while (ran.words.ends_with('\n')) ran.words.pop_back();
    std::ranges::replace(ran.words, '\n', ' ');
    return ran;
}

}  // namespace openrd::db::postgres
