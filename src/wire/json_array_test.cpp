#include "wire/json_array.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace openrd::wire {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(JsonArray, OfTextsBecomesNumberedParameters) {
    std::vector<Parameters::Entry> into = {{"Before", "x"}};
    EXPECT_TRUE(flatten_json_array("Names", R"(["a","b\n",1,true,null])", into));
    EXPECT_THAT(into, ElementsAre(Pair("Before", "x"), Pair("Names.1", "a"), Pair("Names.2", "b\n"), Pair("Names.3", "1"), Pair("Names.4", "true")));
}

TEST(JsonArray, OfObjectsBecomesTheirMembers) {
    std::vector<Parameters::Entry> into;
    EXPECT_TRUE(flatten_json_array("Tag", R"([{"Key":"k","Value":"v"},{"Key":"l","Sub":[{"X":"y"}]}])", into));
    EXPECT_THAT(into, ElementsAre(Pair("Tag.1.Key", "k"), Pair("Tag.1.Value", "v"), Pair("Tag.2.Key", "l"), Pair("Tag.2.Sub.1.X", "y")));
}

TEST(JsonArray, MayBeEmpty) {
    std::vector<Parameters::Entry> into;
    EXPECT_TRUE(flatten_json_array("Names", " [ ] ", into));
    EXPECT_TRUE(into.empty());
}

TEST(JsonArray, IsNothingElse) {
    for (const std::string_view json :
         {"", "a,b", "{}", "\"a\"", "null", "[", "[1", "[1,]", "[1] x", "[{\"a\":1,\"a\":2}]", "[\"\\u0000\"]", "[\"\xFF\"]", "[[[[[[[[[1]]]]]]]]]"}) {
        std::vector<Parameters::Entry> into = {{"Before", "x"}};
        EXPECT_FALSE(flatten_json_array("Names", json, into)) << json;
        EXPECT_THAT(into, ElementsAre(Pair("Before", "x"))) << json;
    }
}

TEST(JsonArray, KeepsToTheLimits) {
    std::vector<Parameters::Entry> into;
    EXPECT_TRUE(flatten_json_array("N", "[1,2,3]", into, {.count = 3, .list_index = 3}));
    into.clear();
    EXPECT_FALSE(flatten_json_array("N", "[1,2,3,4]", into, {.count = 10, .list_index = 3}));
    EXPECT_FALSE(flatten_json_array("N", "[1,2,3,4]", into, {.count = 3, .list_index = 10}));
    EXPECT_TRUE(into.empty());
    std::string million = "[0";
    for (int i = 0; i < 400'000; ++i) million += ",0";
    EXPECT_FALSE(flatten_json_array("N", million + "]", into));
}

}  // namespace
}  // namespace openrd::wire
