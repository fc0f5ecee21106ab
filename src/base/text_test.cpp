#include "base/text.hpp"

#include <gtest/gtest.h>

namespace openrd::base {
namespace {
using namespace std::string_literals;

TEST(Text, CleanUtf8IsWellFormedAndHoldsNoNul) {
    for (const auto& good : {""s, "plain"s, "中文😀"s, "\xC2\x80"s, "\xED\x9F\xBF"s, "\xF4\x8F\xBF\xBF"s}) EXPECT_TRUE(is_clean_utf8(good)) << hex(good);
    for (const auto& bad : {"\0"s, "a\0b"s, "\x80"s, "\xC0\x80"s, "\xC1\xBF"s, "\xE0\x9F\xBF"s, "\xED\xA0\x80"s, "\xF0\x8F\xBF\xBF"s, "\xF4\x90\x80\x80"s, "\xF8\x88\x80\x80\x80"s,
                            "\xE4\xB8"s, "\xE4"s, "\xFF"s})
        EXPECT_FALSE(is_clean_utf8(bad)) << hex(bad);
}

TEST(Text, InvisibleCharactersAreFound) {
    for (const auto* seen : {"", "plain", "中文 😀", "é", "a-b_c.d"}) EXPECT_FALSE(has_invisible(seen)) << seen;
    for (const auto* hidden : {"a\tb", "\x7F", "a\u0085", "\u00AD", "\u200B", "\u202Ename", "\u2066x", "\uFEFF", "\U000E0041"}) EXPECT_TRUE(has_invisible(hidden)) << hex(hidden);
}

TEST(Text, HexAndBase64GoBothWays) {
    const std::string bytes("\x00\x01\xFE\xFF", 4);
    EXPECT_EQ(hex(bytes), "0001feff");
    EXPECT_EQ(unhex("0001FEff"), bytes);
    EXPECT_FALSE(unhex("0"));
    EXPECT_FALSE(unhex("0g"));
    EXPECT_EQ(base64(bytes), "AAH+/w==");
    EXPECT_EQ(unbase64("AAH+/w=="), bytes);
    EXPECT_FALSE(unbase64("AAH+/w"));
    EXPECT_FALSE(unbase64("AAH+/w==x"));
    EXPECT_EQ(base64_url(bytes), "AAH-_w");
    EXPECT_EQ(unbase64_url("AAH-_w"), bytes);
    EXPECT_EQ(unbase64(""), "");
}

TEST(Text, CaseIsIgnoredForAsciiOnly) {
    EXPECT_TRUE(equal_ignoring_case("UnTagResources", "UntagResources"));
    EXPECT_FALSE(equal_ignoring_case("a", "ab"));
    EXPECT_FALSE(equal_ignoring_case("@", "`"));
    EXPECT_EQ(ascii_lower("AbÄ"), "abÄ");
    EXPECT_EQ(trimmed(" \ta b\t "), "a b");
    EXPECT_EQ(trimmed(" \t"), "");
}

}  // namespace
}  // namespace openrd::base
