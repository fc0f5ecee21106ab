#include "wire/percent.hpp"

#include <gtest/gtest.h>

namespace openrd::wire {
namespace {

TEST(PercentEncoding, LeavesUnreservedBytesAlone) {
    const std::string unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    EXPECT_EQ(percent_encode(unreserved), unreserved);
}

TEST(PercentEncoding, EncodesEverythingElseInUpperCase) {
    EXPECT_EQ(percent_encode(" *+'!()/?#"), "%20%2A%2B%27%21%28%29%2F%3F%23");
    EXPECT_EQ(percent_encode("中😀"), "%E4%B8%AD%F0%9F%98%80");
    EXPECT_EQ(percent_encode(std::string_view("\0\xFF", 2)), "%00%FF");
    EXPECT_EQ(percent_encode(""), "");
}

TEST(PercentEncoding, TwiceIsEncodingTheEncoded) {
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    std::string twice;
    append_twice_percent_encoded(twice, all);
    EXPECT_EQ(twice, percent_encode(percent_encode(all)));
}

TEST(FormDecoding, KnowsPlusAndEscapes) {
    EXPECT_EQ(form_decode("a+b%20c%2Bd%2be"), "a b c+d+e");
    EXPECT_EQ(form_decode("%E4%B8%AD"), "中");
    EXPECT_EQ(form_decode("%00"), std::string(1, '\0'));
}

TEST(FormDecoding, LeavesBadEscapesAsTheyAre) {
    for (const std::string_view text : {"%", "%4", "a%", "a%4", "%zz", "%4z", "%z4", "%%"}) EXPECT_EQ(form_decode(text), text);
    EXPECT_EQ(form_decode("%%41"), "%A");
    EXPECT_EQ(form_decode("%4%41"), "%4A");
}

TEST(FormDecoding, UndoesEncodingForAllBytes) {
    std::string all;
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    EXPECT_EQ(form_decode(percent_encode(all)), all);
}

TEST(FormDecoding, AppendsToWhatIsThere) {
    std::string out = "x=";
    append_form_decoded(out, "%31+");
    EXPECT_EQ(out, "x=1 ");
}

}  // namespace
}  // namespace openrd::wire
