#include "api/registry.hpp"

#include "base/embedded.hpp"
#include "base/text.hpp"

#include <map>

namespace openrd::api {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool before(std::string_view a, std::string_view b) { return std::ranges::lexicographical_compare(a, b, {}, lower, lower); }

struct IgnoringCase {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const { return before(a, b); }
};
using Actions = std::map<std::string_view, Versions, IgnoringCase>;

// "2022-04-19 BindSecureMobilePhone" a line.
Actions vendor_actions() {
    Actions actions;
    for (const auto& file : embedded::actions()) {
        for (std::string_view rest = file.bytes; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            const auto space = line.find(' ');
            if (space == line.npos) continue;
            if (const Version* version = find_version(line.substr(0, space))) {
                const auto [at, is_new] = actions.try_emplace(line.substr(space + 1), Versions::none());
                at->second = at->second.with(Versions::of(*version));
            }
        }
    }
    return actions;
}

}  // namespace

const AnyOperation* find(std::string_view action, Version version) {
    const auto all = operations();
    auto at = std::ranges::lower_bound(all, action, before, [](const AnyOperation* o) { return o->name; });
    for (; at != all.end() && base::equal_ignoring_case((*at)->name, action); ++at)
        if ((*at)->served_as.has(version)) return *at;
    return nullptr;
}

std::string_view vendor_action(std::string_view action, Version version) {
    static const Actions actions = vendor_actions();
    const auto at = actions.find(action);
    return at != actions.end() && at->second.has(version) ? at->first : std::string_view();
}

}  // namespace openrd::api
