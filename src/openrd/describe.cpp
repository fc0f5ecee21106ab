#include "openrd/describe.hpp"

#include "api/registry.hpp"
#include "base/text.hpp"
#include "openrd/failure.hpp"
#include "openrd/openapi.hpp"
#include "pipeline/describe.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

namespace openrd {
namespace {

using Chosen = std::vector<std::pair<const api::AnyOperation*, api::Version>>;

Chosen choose(const DescribeCommand& command) {
    const auto* wanted = command.version.empty() ? nullptr : api::find_version(command.version);
    if (!command.version.empty() && !wanted) throw Failure(fmt::format("--version {}: no product has it", command.version));
    Chosen chosen;
    for (const auto* operation : api::operations())
        for (const auto version : api::every_version)
            if (operation->served_as.has(version) && (!wanted || *wanted == version) && (command.action.empty() || base::equal_ignoring_case(operation->name, command.action)))
                chosen.emplace_back(operation, version);
    if (chosen.empty()) throw Failure(fmt::format("{}: no such operation is served", command.action.empty() ? command.version : command.action), refused_status);
    return chosen;
}

}  // namespace

std::string description(const DescribeCommand& command) {
    const auto chosen = choose(command);
    if (command.format == "openapi") return openapi(chosen) + "\n";
    std::string out;
    if (command.format == "markdown") {
        for (const auto& [operation, version] : chosen) out += pipeline::describe_as_markdown(*operation, version);
        return out;
    }
    if (command.format != "json") throw Failure(fmt::format("--format {}: it is markdown, json or openapi", command.format));
    for (const auto& [operation, version] : chosen) out += (out.empty() ? "" : ",\n") + pipeline::describe_as_json(*operation, version);
    return "{\"operations\":[" + out + "]}\n";
}

int describe(const DescribeCommand& command) {
    std::fputs(description(command).c_str(), stdout);
    return 0;
}

}  // namespace openrd
