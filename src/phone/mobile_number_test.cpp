#include "phone/mobile_number.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <type_traits>

namespace openrd::phone {
namespace {

using namespace std::string_literals;

template <class T> concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T> concept Different = requires(const T& a, const T& b) { a != b; };
template <class T> concept Ordered = requires(const T& a, const T& b) { a < b; };
template <class T> concept Texted = requires(const T& a) { a.text(); };
template <class T> concept RevealedWhenPassing = requires(T a) { std::move(a).reveal(); };
template <class T> concept RevealedByName = requires(const T& a) {
    a.reveal();
    a.reveal_e164();
    a.reveal_national();
};

MobileNumber number(std::string_view text) { return MobileNumber::parse(text).value(); }

TEST(MobileNumber, CannotBeComparedOrAnsweredByAccident) {
    static_assert(!Comparable<MobileNumber>);
    static_assert(!Different<MobileNumber>);
    static_assert(!Ordered<MobileNumber>);
    static_assert(!Texted<MobileNumber>);  // without text() the wire cannot answer it (api/type.hpp)
    static_assert(!std::is_convertible_v<MobileNumber, std::string_view>);
    static_assert(!std::is_convertible_v<MobileNumber, std::string>);
    static_assert(!std::is_convertible_v<std::string_view, MobileNumber>);
    static_assert(RevealedByName<MobileNumber>);
    static_assert(!RevealedWhenPassing<MobileNumber>);  // the view would outlive the number
    static_assert(MobileNumber::wire_secret && MobileNumber::wire_personal);
}

TEST(MobileNumber, PrintsItsMaskOnly) {
    std::ostringstream out;
    out << number("65-81234567");
    EXPECT_EQ(out.str(), "65-8123****");
}

TEST(MobileNumber, KeepsBothSpellings) {
    const auto n = number("65-81234567");
    EXPECT_EQ(n.reveal(), "65-81234567");
    EXPECT_EQ(n.reveal_e164(), "+6581234567");
    EXPECT_EQ(n.reveal_national(), "81234567");
    EXPECT_EQ(n.calling_code(), "65");
    const auto longest = number("1-12345678901234");
    EXPECT_EQ(longest.reveal(), "1-12345678901234");
    EXPECT_EQ(longest.reveal_e164(), "+112345678901234");
    EXPECT_EQ(MobileNumber::parse("852-123456789012")->reveal_e164(), "+852123456789012");
}

TEST(MobileNumber, IsMaskedInOneWayEverywhere) {
    EXPECT_EQ(number("65-81234567").masked(), "65-8123****");
    EXPECT_EQ(number("1-2025550123").masked(), "1-202555****");
    EXPECT_EQ(number("86-13900001234").masked(), "86-1390000****");
    EXPECT_EQ(number("852-12345678").masked(), "852-1234****");
    EXPECT_EQ(number("1-12345678901234").masked(), "1-1234567890****");
}

TEST(MobileNumber, OfFewerThanEightDigitsKeepsTwo) {
    EXPECT_EQ(number("290-1234567").masked(), "290-12*****");
    EXPECT_EQ(number("290-51234").masked(), "290-51***");
    EXPECT_EQ(number("290-5123").masked(), "290-51**");
}

TEST(MobileNumber, TakesTheSyntaxOfTheApi) {
    for (const char* text : {"65-81234567", "1-2025550123", "999-1234", "1-12345678901234", "99-1234567890123", "999-123456789012", "44-07400123456"})
        EXPECT_TRUE(MobileNumber::parse(text)) << text;
}

TEST(MobileNumber, RefusesEveryOtherSpelling) {
    const std::string en_dash = "\xE2\x80\x93", arabic_digits = "\xD9\xA8\xD9\xA1\xD9\xA2\xD9\xA3\xD9\xA4\xD9\xA5\xD9\xA6\xD9\xA7",
                      full_width_digits = "\xEF\xBC\x98\xEF\xBC\x91\xEF\xBC\x92\xEF\xBC\x93\xEF\xBC\x94\xEF\xBC\x95";
    for (const char* text : {"",
                             "-",
                             "65",
                             "65-",
                             "-81234567",
                             "6581234567",
                             "+6581234567",
                             "+65-81234567",
                             "0065-81234567",
                             "065-81234567",
                             "0-81234567",
                             "65--81234567",
                             "65-8123-4567",
                             "65-812",
                             "1-123456789012345",
                             "99-12345678901234",
                             "999-1234567890123",
                             "9999-81234567",
                             "65 81234567",
                             "65- 81234567",
                             " 65-81234567",
                             "65-81234567 ",
                             "65-8123 4567",
                             "65-81234567\n",
                             "65-8123456a",
                             "65-8123ABCD",
                             "6a-81234567",
                             "65-81234567ext5",
                             "65-81234567 ext 5",
                             "65-81234567;ext=5",
                             "65-81234567,,9",
                             "65-81234567;isub=1",
                             "tel:65-81234567",
                             "65-81234567;phone-context=+65",
                             "65-81234567 65-81234568",
                             "65-81234567,65-81234568",
                             "65-81234567 +6581234568",
                             "65-8123****",
                             "65-8123.567",
                             "65_81234567"})
        EXPECT_FALSE(MobileNumber::parse(text)) << text;
    for (const auto& text : {"65" + en_dash + "81234567", "65-" + arabic_digits, "65-" + full_width_digits, "65-81234567\0"s, "65-8123\0567"s, "\0"s, "65\0-81234567"s,
                             "65-81234567\0 65-81234568"s, std::string(1'000'000, '6'), "65-" + std::string(1'000'000, '8')})
        EXPECT_FALSE(MobileNumber::parse(text)) << text.substr(0, 40);
}

TEST(MobileNumber, BeginsEmpty) {
    const MobileNumber none;
    EXPECT_TRUE(none.empty());
    EXPECT_EQ(none.masked(), "");
    EXPECT_EQ(none.reveal(), "");
    EXPECT_EQ(none.reveal_e164(), "");
    EXPECT_EQ(none.reveal_national(), "");
    EXPECT_EQ(none.calling_code(), "");
}

TEST(MobileNumber, MovingLeavesNothingBehind) {
    auto from = number("65-81234567");
    auto to = std::move(from);
    EXPECT_EQ(to.reveal(), "65-81234567");
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
    MobileNumber third;
    third = std::move(to);
    EXPECT_EQ(third.reveal_e164(), "+6581234567");
    EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(MobileNumber, IsWipedWhenItGoes) {
    alignas(MobileNumber) std::array<unsigned char, sizeof(MobileNumber)> memory{};
    auto* const n = new (memory.data()) MobileNumber(number("65-81234567"));
    ASSERT_EQ(n->reveal(), "65-81234567");
    n->~MobileNumber();
    for (const auto byte : memory) EXPECT_FALSE(byte >= '0' && byte <= '9') << "a digit is left";
}

}  // namespace
}  // namespace openrd::phone
