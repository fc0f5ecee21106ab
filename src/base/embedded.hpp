#pragma once
// Files that travel inside the binary (tools/embed.py makes their tables).
#include <span>
#include <string_view>

namespace openrd::embedded {

struct File {
    std::string_view name;  // without its folder
    std::string_view bytes;
};

std::span<const File> migrations();  // db/migrations, in order of their numbers
std::span<const File> numbering();   // phone/numbering.json
std::span<const File> actions();     // operations/actions.txt: every action name of contract/

}  // namespace openrd::embedded
