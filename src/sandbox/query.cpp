#include "sandbox/query.hpp"

#include "base/text.hpp"

namespace openrd::sandbox {
namespace {

constexpr std::size_t most_pairs = 32;

std::optional<std::string> decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const auto byte = base::unhex(text.substr(i + 1, 2));
        if (!byte || byte->size() != 1) return {};
        out += *byte;
        i += 2;
    }
    if (!base::is_clean_utf8(out)) return {};
    return out;
}

}  // namespace

std::optional<std::string_view> Target::find(std::string_view name) const {
    for (const auto& [key, value] : query)
        if (key == name) return value;
    return {};
}

std::optional<Target> parse_target(std::string_view text) {
    const auto mark = text.find('?');
    Target target{.path = text.substr(0, mark), .query = {}};
    auto rest = mark == text.npos ? std::string_view() : text.substr(mark + 1);
    while (!rest.empty()) {
        const auto pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const auto equals = pair.find('=');
        auto name = decoded(pair.substr(0, equals));
        auto value = decoded(equals == pair.npos ? std::string_view() : pair.substr(equals + 1));
        if (!name || !value || target.find(*name) || target.query.size() == most_pairs) return {};
        target.query.emplace_back(*std::move(name), *std::move(value));
    }
    return target;
}

}  // namespace openrd::sandbox
