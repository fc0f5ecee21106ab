#pragma once
// Patterns of the policy language: * stands for any number of characters, also none and also slashes; ? for exactly one.
#include <cstddef>
#include <string_view>

namespace openrd::policy {

// Whether the whole text fits the pattern. `same(c, i)` says whether the pattern's character c stands for the text's i-th byte; it
// decides about case. Only the last * is ever tried again, so the work is at most pattern times text, without recursion:
// calls of `same` <= (pattern.size() + 1) * (text.size() + 1).
template <class Same> bool matches(std::string_view pattern, std::string_view text, Same same) {
    constexpr auto none = std::string_view::npos;
    const auto goes_on_a_character = [text](std::size_t i) { return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; };  // UTF-8
    std::size_t p = 0, t = 0, after_star = none, covered = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            after_star = ++p;
            covered = t;
            if (p == pattern.size()) return true;
        } else if (p < pattern.size() && pattern[p] == '?') {
            ++p;
            do ++t;
            while (goes_on_a_character(t));
        } else if (p < pattern.size() && same(pattern[p], t)) {
            ++p;
            ++t;
        } else if (after_star != none) {
            p = after_star;
            t = ++covered;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

}  // namespace openrd::policy
