#pragma once
// A program of the system, run without a shell to its end.
#include <string>
#include <vector>

namespace openrd::db::postgres {

struct Ran {
    int status = -1;     // of exit(); -1: it was ended by a signal
    std::string output;  // its first mebibyte
    std::string words;   // what it wrote to stderr, on one line, its first part
};

// Looked for in PATH. Throws Error(unavailable) when it is not there.
std::string find_program(const std::string& name);

// `environment` is added to that of this process: "NAME=value". It ends with this process, whatever becomes of it. Throws Error(unavailable).
Ran run_program(const std::string& path, const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

}  // namespace openrd::db::postgres
