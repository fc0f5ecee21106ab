#include "net/chunked.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace openrd::net {
namespace {

using pipeline::Malformed;
using namespace std::string_literals;

struct Reading {
    Progress progress = Progress::more;
    Malformed problem = Malformed::bad_request;
    std::string body, rest;
    bool operator==(const Reading&) const = default;
};

base::HttpLimits small_limits() {
    base::HttpLimits limits;
    limits.header_bytes = 400;
    limits.body_bytes = 1000;
    return limits;
}

// The pieces arrive one after the other, each behind what the reader left of the last.
Reading read(const std::vector<std::string>& pieces) {
    ChunkedReader reader(small_limits());
    reader.begin();
    std::string bytes;
    Reading reading;
    std::size_t next = 0;
    while (reading.progress == Progress::more && next < pieces.size()) {
        bytes += pieces[next++];
        bytes.shrink_to_fit();
        std::size_t size = bytes.size();
        reading.progress = reader.read(bytes.data(), size);
        if (reading.progress != Progress::refused) bytes.resize(size);
    }
    if (reading.progress == Progress::refused) {
        reading.problem = reader.problem();
        return reading;
    }
    reading.body = bytes.substr(0, reader.body_size());
    reading.rest = bytes.substr(reader.body_size());
    for (; next < pieces.size(); ++next) reading.rest += pieces[next];
    return reading;
}

Reading read(const std::string& text) { return read(std::vector{text}); }

Reading read_byte_by_byte(const std::string& text) {
    std::vector<std::string> pieces;
    for (const char c : text) pieces.emplace_back(1, c);
    return read(pieces);
}

Reading complete(std::string body, std::string rest = "") { return {.progress = Progress::complete, .problem = {}, .body = std::move(body), .rest = std::move(rest)}; }

testing::AssertionResult refused(const std::string& text, Malformed problem = Malformed::bad_request) {
    for (const auto& reading : {read(text), read_byte_by_byte(text)}) {
        if (reading.progress != Progress::refused) return testing::AssertionFailure() << "not refused: " << testing::PrintToString(text);
        if (reading.problem != problem) return testing::AssertionFailure() << "refused as " << int(reading.problem) << ": " << testing::PrintToString(text.substr(0, 300));
    }
    return testing::AssertionSuccess();
}

TEST(ChunkedBody, IsPutTogetherInPlace) {
    EXPECT_EQ(read("0\r\n\r\n"), complete(""));
    EXPECT_EQ(read("5\r\nhello\r\n0\r\n\r\n"), complete("hello"));
    EXPECT_EQ(read("5\r\nhello\r\n0007;a=b; c=\"d e\"\r\n, world\r\n0;x\r\nTrailer: dropped\r\nOther:\r\n\r\nGET / HTTP/1.1"), complete("hello, world", "GET / HTTP/1.1"));
    EXPECT_EQ(read("A\r\n0123456789\r\na\r\n\r\n0\r\n\r\n89A\r\n0\r\n\r\n"), complete("0123456789\r\n0\r\n\r\n89A"));
}

TEST(ChunkedBody, IsTheSameWhereverItIsSplit) {
    const auto text = "3\r\nabc\r\n10;ext=1\r\n0123456789abcdef\r\n1\r\n\n\r\n0\r\nA: b\r\nC: d\r\n\r\nnext"s;
    const auto whole = read(text);
    EXPECT_EQ(whole, complete("abc0123456789abcdef\n", "next"));
    EXPECT_EQ(read_byte_by_byte(text), whole);
    for (std::size_t first = 0; first < text.size(); ++first) {
        for (std::size_t second = first; second <= text.size(); ++second) {
            ASSERT_EQ(read({text.substr(0, first), text.substr(first, second - first), text.substr(second)}), whole) << first << ' ' << second;
        }
        ASSERT_EQ(read(text.substr(0, first)).progress, first < text.size() - 4 ? Progress::more : Progress::complete) << first;
    }
}

TEST(ChunkedBody, OfAnotherFormIsRefused) {
    for (const auto& text : {"\r\n"s,
                             "x\r\n"s,
                             "-1\r\n"s,
                             "+1\r\n"s,
                             "0x1\r\n"s,
                             " 1\r\n"s,
                             "1 \r\n"s,
                             "1 ;a\r\n"s,
                             "1\nab"s,
                             "1\r\r\n"s,
                             "1;\x01\r\n"s,
                             "1;a\rb\r\n"s,
                             "1;\0\r\n"s,
                             "1\r\nabc\r\n"s,
                             "1\r\na\n"s,
                             "1\r\na\r\r\n"s,
                             "1\r\na0\r\n\r\n"s,
                             "0\r\n\n"s,
                             "0\r\nA b: c\r\n\r\n"s,
                             "0\r\n a: b\r\n\r\n"s,
                             "0\r\na: b\r\n c\r\n\r\n"s,
                             "0\r\nnone\r\n\r\n"s,
                             "0\r\na: \x01\r\n\r\n"s,
                             "1;" + std::string(255, 'a') + "\r\n"}) {
        EXPECT_TRUE(refused(text));
    }
    EXPECT_EQ(read("1;" + std::string(254, 'a') + "\r\nx\r\n0\r\n\r\n"), complete("x"));
    EXPECT_EQ(read_byte_by_byte("1;" + std::string(254, 'a') + "\r\nx\r\n0\r\n\r\n"), complete("x"));
}

TEST(ChunkedBody, IsCountedBeforeItIsThere) {
    EXPECT_EQ(read("3e8\r\n" + std::string(1000, 'a') + "\r\n0\r\n\r\n"), complete(std::string(1000, 'a')));
    EXPECT_TRUE(refused("3e9\r\n", Malformed::body_too_large));
    EXPECT_TRUE(refused("3e0\r\n" + std::string(0x3e0, 'a') + "\r\n9\r\n", Malformed::body_too_large));
    EXPECT_TRUE(refused("10000000000000001\r\n", Malformed::body_too_large));
    EXPECT_TRUE(refused(std::string(200, 'f') + "\r\n", Malformed::body_too_large));
    EXPECT_EQ(read(std::string(200, '0') + "1\r\nx\r\n0\r\n\r\n"), complete("x"));
}

TEST(ChunkedBody, LimitsItsTrailers) {
    EXPECT_EQ(read("0\r\na: " + std::string(397, 'b') + "\r\n\r\n"), complete(""));
    EXPECT_TRUE(refused("0\r\na: " + std::string(398, 'b') + "\r\n\r\n", Malformed::headers_too_large));
    EXPECT_TRUE(refused("0\r\n" + std::string(500, 'b'), Malformed::headers_too_large));
    std::string lines;
    for (std::size_t i = 0; i <= most_header_lines; ++i) lines += "a:\r\n";
    EXPECT_TRUE(refused("0\r\n" + lines + "\r\n", Malformed::headers_too_large));
}

}  // namespace
}  // namespace openrd::net
