#pragma once
// The configuration file as it was read, for those who read tables of their own from it: `[[delivery.channel]]`. A header by itself,
// for toml++ is large.
#include "openrd/failure.hpp"

#include <fmt/format.h>
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <string>

namespace openrd {

// "openrd.toml:12: what": the one clear line, for `throw`.
inline Failure refusal_at(const std::string& file, const toml::node& node, std::string_view what) {
    return Failure(fmt::format("{}:{}: {}", file, node.source().begin.line, what));
}

struct ConfigDocument {
    std::string path;
    toml::table root;

    Failure refusal(const toml::node& node, std::string_view what) const { return refusal_at(path, node, what); }
};

// A text of the file that names a file. ${CREDENTIALS_DIRECTORY} at its start is where systemd puts what LoadCredential= gives; no
// other variable is known. Throws Failure.
std::string expanded_path(const std::string& file, const toml::node& node, std::string_view name, const std::string& text);

}  // namespace openrd
