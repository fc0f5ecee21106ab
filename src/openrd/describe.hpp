#pragma once
// `openrd describe`: the declarations of the operations, for people and for tools.
#include <string>

namespace openrd {

struct DescribeCommand {
    std::string action;   // empty: all
    std::string version;  // empty: all
    std::string format = "markdown";
};
// 0. Failure: status 1 for an action that is not served, 2 for a format that there is not.
int describe(const DescribeCommand& command);

// The text that describe() prints.
std::string description(const DescribeCommand& command);

}  // namespace openrd
