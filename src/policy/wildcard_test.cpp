#include "policy/wildcard.hpp"

#include <gtest/gtest.h>

#include <string>

namespace openrd::policy {
namespace {

bool fits(std::string_view pattern, std::string_view text) {
    return matches(pattern, text, [text](char c, std::size_t i) { return c == text[i]; });
}

// The obvious definition, for comparison; exponential.
bool fits_by_definition(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() == '*') return fits_by_definition(pattern.substr(1), text) || (!text.empty() && fits_by_definition(pattern, text.substr(1)));
    return !text.empty() && (pattern.front() == '?' || pattern.front() == text.front()) && fits_by_definition(pattern.substr(1), text.substr(1));
}

TEST(Wildcard, FitsByTheTable) {
    const struct {
        std::string_view pattern, text;
        bool fits;
    } table[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"a", "a", true},
        {"a", "b", false},
        {"a", "aa", false},
        {"A", "a", false},
        {"*", "", true},
        {"*", "a", true},
        {"*", "a/b:c", true},
        {"**", "", true},
        {"**", "ab", true},
        {"*a", "a", true},
        {"*a", "ba", true},
        {"*a", "ab", false},
        {"a*", "a", true},
        {"a*", "ab/c", true},
        {"a*", "ba", false},
        {"a*b", "ab", true},
        {"a*b", "a/x/b", true},
        {"a*b", "abc", false},
        {"a*b*c", "aXbYc", true},
        {"a*b*c", "acb", false},
        {"*ab", "aab", true},
        {"*aab", "aaaab", true},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"ab*ab", "ab", false},
        {"ab*ab", "abab", true},
        {"*.*.*", "a.b", false},
        {"*.*.*", "a.b.c", true},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"??", "ab", true},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"?*", "", false},
        {"?*", "a", true},
        {"*?", "", false},
        {"*?", "abc", true},
        {"*?*", "", false},
        {"*?*", "a", true},
        {"*??", "a", false},
        {"*??", "ab", true},
        {"a*?", "a", false},
        {"a*?", "ab", true},
        {"*", "*", true},
        {"a", "*", false},
        {"?", "*", true},
        {"account/?", "account/*", true},
        {"account/rd-1", "account/*", false},
    };
    for (const auto& row : table) EXPECT_EQ(fits(row.pattern, row.text), row.fits) << row.pattern << " on " << row.text;
}

TEST(Wildcard, AgreesWithItsDefinitionOnEveryShortPattern) {
    const std::string_view letters = "ab*?";
    std::string pattern, text;
    for (int p = 0; p < 4 * 4 * 4 * 4 * 4; ++p) {
        pattern.clear();
        for (int rest = p; rest > 0; rest /= 4) pattern += letters[static_cast<std::size_t>(rest % 4)];
        for (int t = 0; t < 64; ++t) {
            text.clear();
            for (int rest = t; rest > 0; rest /= 2) text += rest % 2 == 1 ? 'a' : 'b';
            ASSERT_EQ(fits(pattern, text), fits_by_definition(pattern, text)) << pattern << " on " << text;
        }
    }
}

TEST(Wildcard, TakesACharacterForOneWhateverItsBytes) {
    EXPECT_TRUE(fits("a?c",
                     "a\xC3\xA9"
                     "c"));
    EXPECT_TRUE(fits("a?c",
                     "a\xE4\xB8\xAD"
                     "c"));
    EXPECT_TRUE(fits("?", "\xF0\x9F\x98\x80"));
    EXPECT_FALSE(fits("??", "\xE4\xB8\xAD"));
    EXPECT_FALSE(fits("*??", "\xE4\xB8\xAD"));
    EXPECT_TRUE(fits("??", "\xE4\xB8\xAD\xE6\x96\x87"));
    EXPECT_TRUE(fits("*\x96\x87", "\xE4\xB8\xAD\xE6\x96\x87"));
}

TEST(Wildcard, OfHostileMakeIsDoneInPatternTimesTextSteps) {
    const std::string text(400, 'a');
    std::string stars_and_letters, pairs;
    for (int i = 0; i < 300; ++i) stars_and_letters += "*a", pairs += "*?a";
    for (const std::string& pattern : {stars_and_letters + "b", pairs + "b", "*" + std::string(300, 'a') + "b", std::string(500, '*') + "b", "*" + std::string(200, 'a') + "*b",
                                       std::string("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"), "*" + std::string(200, '?') + "b", stars_and_letters + "*"}) {
        std::size_t steps = 0;
        (void)matches(pattern, text, [&](char c, std::size_t i) {
            ++steps;
            return c == text[i];
        });
        EXPECT_LE(steps, (pattern.size() + 1) * (text.size() + 1)) << pattern.substr(0, 30);
    }
}

}  // namespace
}  // namespace openrd::policy
