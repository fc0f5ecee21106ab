#include "wire/json_writer.hpp"
#include "wire/xml_writer.hpp"

#include "base/text.hpp"

#include <boost/json.hpp>

#include <gtest/gtest.h>

namespace openrd::wire {
namespace {

std::string json_text(std::string_view text) {
    std::string out;
    append_json_text(out, text);
    return out;
}

std::string xml_text(std::string_view text) {
    std::string out;
    append_xml_text(out, text);
    return out;
}

std::string cdata(std::string_view text) {
    std::string out;
    append_xml_cdata(out, text);
    return out;
}

std::string as_xml(std::string_view json) {
    std::string out;
    append_json_as_xml(out, "E", json);
    return out;
}

// One answer, written by either writer.
template <class Writer> std::string answer() {
    std::string out;
    Writer w(out);
    w.begin_answer("ListAccounts");
    w.text("RequestId", "R-1");
    w.number("TotalCount", -9'223'372'036'854'775'807);
    w.boolean("More", true);
    w.begin_list("Accounts", "Account");
    for (const auto* id : {"1", "2"}) {
        w.begin_item("Account");
        w.text("AccountId", id);
        w.begin_object("Owner");
        w.boolean("Root", false);
        w.end_object("Owner");
        w.end_item("Account");
    }
    w.end_list("Accounts", "Account");
    w.begin_list("Tags", "");
    w.begin_item("Tags");
    w.text("Key", "a&b");
    w.end_item("Tags");
    w.end_list("Tags", "");
    w.begin_list("Names", "Name");
    w.text_item("Name", "x");
    w.text_item("Name", "y");
    w.end_list("Names", "Name");
    w.begin_list("Numbers", "Number");
    w.number_item("Number", 1);
    w.number_item("Number", 2);
    w.end_list("Numbers", "Number");
    w.begin_list("Empty", "Item");
    w.end_list("Empty", "Item");
    w.begin_list("Bare", "");
    w.end_list("Bare", "");
    w.json("Policy", R"({"Version":"1"})");
    w.begin_list("Events", "");
    w.json_item("Events", R"({"a":[1,2]})");
    w.json_item("Events", R"({"a":null})");
    w.end_list("Events", "");
    w.end_answer("ListAccounts");
    return out;
}

TEST(JsonWriter, WritesAnAnswer) {
    EXPECT_EQ(answer<JsonWriter>(), R"({"RequestId":"R-1","TotalCount":-9223372036854775807,"More":true,)"
                                    R"("Accounts":{"Account":[{"AccountId":"1","Owner":{"Root":false}},{"AccountId":"2","Owner":{"Root":false}}]},)"
                                    R"("Tags":[{"Key":"a&b"}],"Names":{"Name":["x","y"]},"Numbers":{"Number":[1,2]},"Empty":{"Item":[]},"Bare":[],)"
                                    R"("Policy":{"Version":"1"},"Events":[{"a":[1,2]},{"a":null}]})");
}

TEST(XmlWriter, WritesTheSameAnswer) {
    EXPECT_EQ(answer<XmlWriter>(),
              "<?xml version='1.0' encoding='UTF-8'?><ListAccountsResponse><RequestId>R-1</RequestId><TotalCount>-9223372036854775807</TotalCount><More>true</More>"
              "<Accounts><Account><AccountId>1</AccountId><Owner><Root>false</Root></Owner></Account><Account><AccountId>2</AccountId><Owner><Root>false</Root></Owner></Account></"
              "Accounts>"
              "<Tags><Key>a&amp;b</Key></Tags><Names><Name>x</Name><Name>y</Name></Names><Numbers><Number>1</Number><Number>2</Number></Numbers><Empty></Empty>"
              "<Policy><Version>1</Version></Policy><Events><a>1</a><a>2</a></Events><Events></Events></ListAccountsResponse>");
}

TEST(JsonText, EscapesWhatMustBe) {
    EXPECT_EQ(json_text("a\"b\\c\n\r\t\x01\x1F/中😀"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f/中😀\"");
    EXPECT_EQ(json_text(std::string_view("\0", 1)), "\"\\u0000\"");
    EXPECT_EQ(json_text(""), "\"\"");
}

TEST(JsonText, ReplacesWhatIsNotUtf8) {
    EXPECT_EQ(json_text("a\xFF z"), "\"a\xEF\xBF\xBD z\"");
    EXPECT_EQ(json_text("\xE4\xB8"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(json_text("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(json_text("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(json_text("\xF4\x90\x80\x80\xF4\x8F\xBF\xBF"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xF4\x8F\xBF\xBF\"");
    EXPECT_EQ(json_text("\xE4\""), "\"\xEF\xBF\xBD\\\"\"");
}

// All pairs of bytes, alone and before a tail that could complete a sequence.
TEST(JsonText, IsValidJsonForAnyBytes) {
    for (int a = 0; a < 256; ++a) {
        for (int b = 0; b < 256; b += a < 0xC0 ? 17 : 1) {
            for (const std::string_view tail : {"", "\x80", "\x80\x80", "\""}) {
                const std::string bytes = std::string{static_cast<char>(a), static_cast<char>(b)}.append(tail);
                boost::system::error_code error;
                const auto parsed = boost::json::parse(json_text(bytes), error);
                ASSERT_FALSE(error) << base::hex(bytes);
                if (base::is_clean_utf8(bytes)) { ASSERT_EQ(parsed.as_string(), bytes) << base::hex(bytes); }
            }
        }
    }
}

TEST(XmlText, EscapesMarkup) {
    EXPECT_EQ(xml_text("<a href=\"x\">&'</a>"), "&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;");
    EXPECT_EQ(xml_text("]]>"), "]]&gt;");
    EXPECT_EQ(xml_text("plain 中😀"), "plain 中😀");
    EXPECT_EQ(xml_text(""), "");
}

TEST(XmlText, KeepsLineBreaksAndTabs) { EXPECT_EQ(xml_text("a\tb\nc\r\nd"), "a\tb\nc&#13;\nd"); }

TEST(XmlText, ReplacesWhatXmlForbids) {
    EXPECT_EQ(xml_text(std::string_view("a\0b\x01\x0B\x1F", 6)),
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(xml_text("\xEF\xBF\xBE"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // U+FFFE: no character of XML
    EXPECT_EQ(xml_text("\xFF<"), "\xEF\xBF\xBD&lt;");
    EXPECT_EQ(xml_text("\xED\xBF\xBF"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(xml_text("\xEF\xBF\xBD"), "\xEF\xBF\xBD");
}

TEST(XmlCdata, CannotBeEndedFromWithin) {
    EXPECT_EQ(cdata("https://x/?a=1&b=<2>"), "<![CDATA[https://x/?a=1&b=<2>]]>");
    EXPECT_EQ(cdata("]]><evil/>"), "<![CDATA[]]]]><![CDATA[><evil/>]]>");
    EXPECT_EQ(cdata("]]]>]]>"), "<![CDATA[]]]]]><![CDATA[>]]]]><![CDATA[>]]>");
    EXPECT_EQ(cdata(">"), "<![CDATA[>]]>");
    EXPECT_EQ(cdata(""), "<![CDATA[]]>");
    EXPECT_EQ(cdata("\x02"), "<![CDATA[\xEF\xBF\xBD]]>");
}

TEST(JsonAsXml, MakesElementsOfMembersAndRepeatsLists) {
    EXPECT_EQ(as_xml(R"({"a":"x<y","b":[1,2.50,true],"c":{"d":[{"e":"f"},{"e":"g"}]},"n":null,"empty":[],"o":{}})"),
              "<E><a>x&lt;y</a><b>1</b><b>2.50</b><b>true</b><c><d><e>f</e></d><d><e>g</e></d></c><o></o></E>");
    EXPECT_EQ(as_xml("[[1,2],[3]]"), "<E>1</E><E>2</E><E>3</E>");
    EXPECT_EQ(as_xml("[{\"a\":[]},\"x\"]"), "<E></E><E>x</E>");
    EXPECT_EQ(as_xml("\"text\""), "<E>text</E>");
}

TEST(JsonAsXml, MakesNamesThatXmlAllows) {
    EXPECT_EQ(as_xml(R"({"acs:SourceIp":"1","2a":"2","a b><evil/>":"3","":"4","-x":"5"})"),
              "<E><acs_SourceIp>1</acs_SourceIp><_2a>2</_2a><a_b__evil__>3</a_b__evil__><_>4</_><_-x>5</_-x></E>");
    EXPECT_EQ(as_xml(R"({"中":{"x":"y"}})"), "<E><___><x>y</x></___></E>");
}

TEST(JsonAsXml, WritesWhatIsNoJsonAsText) {
    EXPECT_EQ(as_xml("not <json>"), "<E>not &lt;json&gt;</E>");
    EXPECT_EQ(as_xml(R"({"a":{"b":1},)"), "<E>{&quot;a&quot;:{&quot;b&quot;:1},</E>");
    const std::string deep(40, '[');
    EXPECT_EQ(as_xml(deep), "<E>" + deep + "</E>");
}

}  // namespace
}  // namespace openrd::wire
