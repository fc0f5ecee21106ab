#pragma once
// How Boost.Beast reads the head of a request: the second opinion that our reader is compared with, in tests and by the fuzzer.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::net {

struct BeastReading {
    std::string method, target;
    std::vector<std::pair<std::string, std::string>> lines;  // sorted: Beast moves lines of one name together
    std::optional<std::uint64_t> content_length;
    bool chunked = false, keep_alive = false;
};

// `head` is a whole head and nothing else. Empty when Beast refuses it.
std::optional<BeastReading> read_with_beast(std::string_view head);

}  // namespace openrd::net
