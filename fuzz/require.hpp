#pragma once
// A property that a harness checks: when it does not hold, the line is printed and libFuzzer keeps the input.
#include <cstdio>
#include <cstdlib>
#include <source_location>

namespace openrd::fuzz {

inline void require(bool holds, const std::source_location where = std::source_location::current()) {
    if (holds) return;
    std::fprintf(stderr, "%s:%u: does not hold\n", where.file_name(), static_cast<unsigned>(where.line()));
    std::abort();
}

}  // namespace openrd::fuzz
