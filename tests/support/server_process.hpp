#pragma once
// Programs that a test starts: as an unprivileged user when the test is root's, and ended by the kernel when the test ends.
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace openrd::tests {

struct ProcessOwner {
    uid_t uid = 0;
    gid_t gid = 0;
    bool another = false;  // than this process's own
};
// Who a server of a test runs as: `nobody` (or `postgres`) when we are root, else we ourselves.
const ProcessOwner& server_owner();

// Starts a program in `directory` with stdin from /dev/null and its words appended to directory/log. It inherits no file and no
// PG* variable, and gets SIGQUIT when the thread that started it ends.
pid_t start_process(const std::vector<std::string>& words, const std::string& directory);
// Runs one to its end. Throws std::runtime_error with the end of the log when that was not 0.
void run_process(const std::vector<std::string>& words, const std::string& directory);

// /tmp/PREFIX-PID-XXXXXX, for the server's owner alone. Those that killed processes have left behind are removed.
std::string server_directory(const std::string& prefix);
// A port of 127.0.0.1 that nobody listens at.
int free_port();

std::string file_text(const std::filesystem::path&);
std::string log_tail(const std::string& directory);

}  // namespace openrd::tests
