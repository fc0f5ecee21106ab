#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <concepts>
#include <sstream>

namespace openrd::base {
namespace {

template <class T> concept Comparable = requires(const T& a, const T& b) { a == b; };
template <class T> concept Printable = requires(std::ostream& out, const T& value) { out << value; };

TEST(Secret, CannotBeComparedOrPrintedByAccident) {
    static_assert(!Comparable<Secret>);
    static_assert(!Printable<Secret>);
}

TEST(Secret, IsComparedWhole) {
    const Secret secret("sandbox-admin-secret");
    EXPECT_TRUE(secret.same_as("sandbox-admin-secret"));
    EXPECT_FALSE(secret.same_as("sandbox-admin-secreT"));
    EXPECT_FALSE(secret.same_as("sandbox-admin-secre"));
    EXPECT_FALSE(secret.same_as(""));
    EXPECT_TRUE(Secret().same_as(""));
}

TEST(Secret, MovingLeavesNothingBehind) {
    Secret from("short");
    const Secret to(std::move(from));
    EXPECT_EQ(to.reveal(), "short");
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
}

TEST(Secret, WipingOverwritesTheWholeCapacity) {
    std::string text = "a text that is longer than the small buffer";
    const char* const bytes = text.data();
    const std::size_t capacity = text.capacity();
    wipe(text);
    EXPECT_TRUE(text.empty());
    for (std::size_t i = 0; i < capacity; ++i) EXPECT_EQ(bytes[i], '\0');
}

}  // namespace
}  // namespace openrd::base
