#include "wire/parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace openrd::wire {
namespace {

using testing::ElementsAre;
using testing::Pair;

const base::ParameterLimits limits;

ParameterRefusal refusal(std::string_view query, std::string_view body = {}, BodyKind kind = BodyKind::none) {
    const auto collected = collect(query, body, kind, limits);
    EXPECT_FALSE(collected.has_value()) << query << body;
    return collected ? ParameterRefusal{} : collected.error();
}

std::vector<Parameters::Entry> entries(std::string_view query, std::string_view body = {}, BodyKind kind = BodyKind::none) {
    const auto collected = collect(query, body, kind, limits);
    EXPECT_TRUE(collected.has_value()) << (collected ? "" : collected.error().name);
    return collected ? std::vector<Parameters::Entry>(collected->all().begin(), collected->all().end()) : std::vector<Parameters::Entry>{};
}

TEST(Parameters, AreSortedByTheBytesOfTheName) {
    const Parameters p({{"b", "1"}, {"a", "2"}, {"B", "3"}, {"\xE4", "4"}, {"a.1", "5"}});
    EXPECT_THAT(std::vector(p.all().begin(), p.all().end()), ElementsAre(Pair("B", "3"), Pair("a", "2"), Pair("a.1", "5"), Pair("b", "1"), Pair("\xE4", "4")));
    EXPECT_EQ(*p.find("a"), "2");
    EXPECT_EQ(p.find("A"), nullptr);
    EXPECT_EQ(p.find(""), nullptr);
}

TEST(Parameters, BelowAPrefixAreTogether) {
    const Parameters p({{"Tag.2.Key", "b"}, {"Tag.1.Key", "a"}, {"Tag", "x"}, {"Tags.1", "y"}, {"A", "z"}});
    const auto tags = p.below("Tag.");
    EXPECT_THAT(std::vector(tags.begin(), tags.end()), ElementsAre(Pair("Tag.1.Key", "a"), Pair("Tag.2.Key", "b")));
    EXPECT_TRUE(p.below("Z.").empty());
}

TEST(BodyKind, IsReadUpToTheSemicolonWithoutRegardToCase) {
    EXPECT_EQ(body_kind("application/x-www-form-urlencoded"), BodyKind::form);
    EXPECT_EQ(body_kind(" Application/X-WWW-Form-URLEncoded ; charset=utf-8"), BodyKind::form);
    EXPECT_EQ(body_kind("application/json; charset=utf-8"), BodyKind::json);
    EXPECT_EQ(body_kind("application/json"), BodyKind::json);
    EXPECT_EQ(body_kind("text/plain"), BodyKind::other);
    EXPECT_EQ(body_kind("application/jsonp"), BodyKind::other);
    EXPECT_EQ(body_kind(""), BodyKind::none);
    EXPECT_EQ(body_kind(" ; charset=utf-8"), BodyKind::none);
}

TEST(Collecting, JoinsQueryAndForm) {
    EXPECT_THAT(entries("B=1&A=x+y&Empty=", "C=%E4%B8%AD", BodyKind::form), ElementsAre(Pair("A", "x y"), Pair("B", "1"), Pair("C", "中"), Pair("Empty", "")));
}

TEST(Collecting, TakesPiecesAsTheReferenceDoes) {
    EXPECT_THAT(entries("&&A&B=&C=1=2&"), ElementsAre(Pair("A", ""), Pair("B", ""), Pair("C", "1=2")));
    EXPECT_THAT(entries("=v"), ElementsAre(Pair("", "v")));
    EXPECT_TRUE(entries("").empty());
    EXPECT_TRUE(entries("&").empty());
}

TEST(Collecting, ReadsOnlyBodiesThatHoldParameters) {
    EXPECT_TRUE(entries("", "A=1", BodyKind::other).empty());
    EXPECT_TRUE(entries("", "A=1", BodyKind::none).empty());
    EXPECT_TRUE(entries("", "", BodyKind::json).empty());
}

TEST(Collecting, RefusesWhatStandsTwice) {
    for (const auto& refused : {refusal("A=1&B=2&A=1"), refusal("A=1", "A=1", BodyKind::form), refusal("A=1", R"({"A":1})", BodyKind::json), refusal("A=1&%41=2"),
                                refusal("", R"({"A":1,"A":1})", BodyKind::json), refusal("", R"({"A":null,"A":1})", BodyKind::json)}) {
        EXPECT_EQ(refused.what, ParameterTrouble::repeated);
        EXPECT_EQ(refused.name, "A");
    }
    EXPECT_EQ(refusal("", R"({"Tag":[{"Key":"a"}],"Tag.1.Key":"b"})", BodyKind::json).name, "Tag.1.Key");
    EXPECT_EQ(refusal("", R"({"a":{"b":1,"b":null}})", BodyKind::json).name, "a.b");
}

TEST(Collecting, RefusesTooManyNamingTheFirstBeyondTheLimit) {
    std::string query;
    for (int i = 1; i <= 1000; ++i) query += "P" + std::to_string(i) + "=v&";
    EXPECT_EQ(entries(query).size(), 1000u);
    for (int i = 1001; i <= 10'000; ++i) query += "P" + std::to_string(i) + "=v&";
    EXPECT_EQ(refusal(query).what, ParameterTrouble::too_many);
    EXPECT_EQ(refusal(query).name, "P1001");
}

TEST(Collecting, CountsQueryAndBodyTogether) {
    std::string query, form, json = "{";
    for (int i = 1; i <= 600; ++i) {
        query += "P" + std::to_string(i) + "=v&";
        form += "&F" + std::to_string(i);
        json += (i == 1 ? "\"F" : ",\"F") + std::to_string(i) + "\":1";
    }
    EXPECT_EQ(refusal(query, form, BodyKind::form).what, ParameterTrouble::too_many);
    EXPECT_EQ(refusal(query, form, BodyKind::form).name, "F401");
    EXPECT_EQ(refusal(query, json + "}", BodyKind::json).what, ParameterTrouble::too_many);
    EXPECT_EQ(refusal(query, json + "}", BodyKind::json).name, "F401");
}

TEST(Collecting, RefusesAListIndexAboveTheLimit) {
    for (const auto* query : {"Tag.999999999.Key=k", "Tag.1001=k", "Tag.99999999999999999999999.Key=k", "A.1.Sub.1001.X=1", "Tag.0001001=k", "Tag.%31001=k"}) {
        EXPECT_EQ(refusal(query).what, ParameterTrouble::index_too_large) << query;
    }
    EXPECT_EQ(refusal("Tag.999999999.Key=k").name, "Tag.999999999.Key");
    EXPECT_EQ(refusal("", "Tag.1001.Key=1", BodyKind::form).what, ParameterTrouble::index_too_large);
    EXPECT_EQ(refusal("", R"({"Tag.1001.Key":1})", BodyKind::json).what, ParameterTrouble::index_too_large);
    EXPECT_EQ(refusal("", R"({"Tag":{"1001":1}})", BodyKind::json).what, ParameterTrouble::index_too_large);
}

TEST(Collecting, AcceptsAListIndexUpToTheLimitAndNumbersThatAreNoIndex) {
    EXPECT_EQ(entries("Tag.1000.Key=k&Tag.0001000=k&123456=x&Tag.x1001=1&Tag.1001x=1&Tag.=1&Tag..1=2").size(), 7u);
}

TEST(Collecting, RefusesWhatIsNotText) {
    for (const auto* query : {"A=%00", "A%00=1", "A=%FF", "%FF=1", "A=%ED%A0%80", "A=%C0%80", "A=%E4%B8", "A=\xFF"}) {
        EXPECT_EQ(refusal(query).what, ParameterTrouble::not_text) << query;
    }
    EXPECT_EQ(refusal(std::string_view("A=a\0b", 5)).what, ParameterTrouble::not_text);
    EXPECT_EQ(refusal("", R"({"A":"\u0000"})", BodyKind::json).what, ParameterTrouble::not_text);
    EXPECT_EQ(refusal("", R"({"A\u0000":1})", BodyKind::json).what, ParameterTrouble::not_text);
}

TEST(Collecting, NamesAParameterInPrintableAsciiOfAtMost64Bytes) {
    EXPECT_EQ(refusal("%0A%1B[31m%E4%B8%AD%00\x7F=1").name, "??[31m?????");
    EXPECT_EQ(refusal(std::string(5000, 'n') + "=%00").name, std::string(64, 'n'));
    const auto long_name = refusal("", "{\"A\":{\"" + std::string(1000, 'k') + "\":[\"\\u0000\"]}}", BodyKind::json);
    EXPECT_EQ(long_name.name, "A." + std::string(62, 'k'));
}

TEST(CollectingJson, FlattensTheTopLevelObject) {
    EXPECT_THAT(entries("Q=1", R"({"Name":"a\"b\u4e2d","Tag":[{"Key":"k","Value":"v"},{"Key":"l"}],"Ids":["x","y"],"Map":{"a":{"b":"c"}}})", BodyKind::json),
                ElementsAre(Pair("Ids.1", "x"), Pair("Ids.2", "y"), Pair("Map.a.b", "c"), Pair("Name", "a\"b中"), Pair("Q", "1"), Pair("Tag.1.Key", "k"), Pair("Tag.1.Value", "v"),
                            Pair("Tag.2.Key", "l")));
}

TEST(CollectingJson, KeepsNumbersAndBooleansAsTheirText) {
    EXPECT_THAT(entries("", R"({"a":1,"b":-0.50,"c":1e2,"d":true,"e":false,"f":12345678901234567890123,"g":18446744073709551615})", BodyKind::json),
                ElementsAre(Pair("a", "1"), Pair("b", "-0.50"), Pair("c", "1e2"), Pair("d", "true"), Pair("e", "false"), Pair("f", "12345678901234567890123"),
                            Pair("g", "18446744073709551615")));
}

TEST(CollectingJson, IgnoresNullButCountsItsPlaceInAList) { EXPECT_THAT(entries("", R"({"a":null,"b":[null,"x",[],{}]})", BodyKind::json), ElementsAre(Pair("b.2", "x"))); }

TEST(CollectingJson, RefusesWhatIsNoObject) {
    for (const auto* body : {"[]", "[1]", "1", "\"x\"", "true", "null", " ", "{", "{\"a\":}", "{\"a\":1}}", "{\"a\":1} x", "{'a':1}", "{\"a\":1,}", "{\"a\":NaN}",
                             "{\"a\":\"\xFF\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\n\"}", "/**/{}"}) {
        EXPECT_EQ(refusal("", body, BodyKind::json).what, ParameterTrouble::bad_body) << body;
    }
}

TEST(CollectingJson, AllowsEightLevelsAndNoMore) {
    const auto nested = [](int arrays) { return "{\"a\":" + std::string(static_cast<std::size_t>(arrays), '[') + "1" + std::string(static_cast<std::size_t>(arrays), ']') + "}"; };
    EXPECT_THAT(entries("", nested(7), BodyKind::json), ElementsAre(Pair("a.1.1.1.1.1.1.1", "1")));
    EXPECT_EQ(refusal("", nested(8), BodyKind::json).what, ParameterTrouble::bad_body);
    EXPECT_EQ(refusal("", nested(500'000), BodyKind::json).what, ParameterTrouble::bad_body);
    EXPECT_EQ(refusal("", std::string(1'000'000, '['), BodyKind::json).what, ParameterTrouble::bad_body);
}

TEST(CollectingJson, RefusesALongList) {
    std::string list = "{\"Tag\":[0";
    for (int i = 1; i < 1000; ++i) list += ",0";
    EXPECT_EQ(entries("", list + "]}", BodyKind::json).size(), 1000u);
    EXPECT_EQ(refusal("", list + ",0]}", BodyKind::json).what, ParameterTrouble::index_too_large);
    EXPECT_EQ(refusal("", list + ",0]}", BodyKind::json).name, "Tag");
}

// 1,000 elements under a key of 500,000 bytes would be half a gigabyte of names.
TEST(CollectingJson, RefusesANameThatWouldMultiply) {
    std::string body = "{\"" + std::string(500'000, 'k') + "\":[0";
    for (int i = 1; i < 1000; ++i) body += ",0";
    EXPECT_EQ(refusal("", body + "]}", BodyKind::json).what, ParameterTrouble::bad_body);
}

TEST(CollectingJson, RefusesAMultitudeOfMembersThatHoldNothing) {
    std::string body = "{\"a\":null";
    for (int i = 0; i < 50'000; ++i) body += ",\"m" + std::to_string(i) + "\":null";
    EXPECT_EQ(refusal("", body + "}", BodyKind::json).what, ParameterTrouble::too_many);
}

TEST(QueryPairs, AreDecodedAndSortedAndKeepWhatStandsTwice) {
    EXPECT_THAT(query_pairs("b=2&a=%2B+&b=1&&c"), ElementsAre(Pair("a", "+ "), Pair("b", "1"), Pair("b", "2"), Pair("c", "")));
}

TEST(QueryPairs, AreTheParametersOfARequestWithoutABody) {
    const std::string query = "Tag.1.Key=k&DryRun=True&Name=a+b&Empty=";
    EXPECT_EQ(query_pairs(query), entries(query));
}

}  // namespace
}  // namespace openrd::wire
