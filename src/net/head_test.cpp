#include "net/head.hpp"

#include "net/beast_reading.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <string>

namespace openrd::net {
namespace {

using pipeline::Malformed;
using namespace std::string_literals;

const std::string ordinary =
    "POST /?Action=GetAccount&Version=2022-04-19 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nx-acs-date:2023-10-26T10:22:32Z\r\n"
    "Content-Type:  application/x-www-form-urlencoded \r\nEmpty:\r\nContent-Length: 12\r\nConnection: keep-alive\r\n\r\n";

// Everything that a head said, so that two readings can be compared.
struct Reading {
    Progress progress = Progress::more;
    Malformed problem = Malformed::bad_request;
    std::string method, target, host;
    std::vector<std::pair<std::string, std::string>> lines;
    std::size_t size = 0;
    std::uint64_t content_length = 0;
    bool chunked = false, keep_alive = false, expects_continue = false;
    bool operator==(const Reading&) const = default;
};

base::HttpLimits small_limits() {
    base::HttpLimits limits;
    limits.target_bytes = 200;
    limits.header_bytes = 1000;
    limits.body_bytes = 5000;
    return limits;
}

Reading reading_of(const HeadReader& reader, Progress progress, const char* bytes) {
    Reading reading;
    reading.progress = progress;
    if (progress == Progress::refused) reading.problem = reader.problem();
    if (progress != Progress::complete) return reading;
    const Head& head = reader.head();
    reading.method = head.method.of(bytes);
    reading.target = head.target.of(bytes);
    reading.host = head.host.of(bytes);
    for (const auto& line : head.lines) reading.lines.emplace_back(line.name.of(bytes), line.value.of(bytes));
    reading.size = head.size;
    reading.content_length = head.content_length;
    reading.chunked = head.chunked;
    reading.keep_alive = head.keep_alive;
    reading.expects_continue = head.expects_continue;
    return reading;
}

// Reads the bytes as they come in pieces; each piece finds them at another address, as in a buffer that grows.
Reading read(const std::string& text, std::vector<std::size_t> ends = {}) {
    HeadReader reader(small_limits());
    reader.begin();
    ends.push_back(text.size());
    std::string before = text;
    Progress progress = Progress::more;
    std::string bytes;
    for (const auto end : ends) {
        bytes = before.substr(0, end);
        bytes.shrink_to_fit();
        progress = reader.read(bytes.data(), bytes.size());
        std::copy(bytes.begin(), bytes.end(), before.begin());
        if (progress != Progress::more) break;
    }
    return reading_of(reader, progress, bytes.data());
}

Reading read_byte_by_byte(const std::string& text) {
    std::vector<std::size_t> ends;
    for (std::size_t i = 1; i < text.size(); ++i) ends.push_back(i);
    return read(text, ends);
}

std::string get(std::string_view lines) { return "GET / HTTP/1.1\r\nHost: h\r\n" + std::string(lines) + "\r\n"; }

// Whether the bytes are refused as no HTTP, whole and byte by byte.
testing::AssertionResult refused(const std::string& text, Malformed problem = Malformed::bad_request) {
    for (const auto& reading : {read(text), read_byte_by_byte(text)}) {
        if (reading.progress != Progress::refused) return testing::AssertionFailure() << "not refused: " << testing::PrintToString(text);
        if (reading.problem != problem) return testing::AssertionFailure() << "refused as " << int(reading.problem) << ": " << testing::PrintToString(text.substr(0, 300));
    }
    return testing::AssertionSuccess();
}

testing::AssertionResult accepted(const std::string& text) {
    const auto reading = read(text);
    if (reading.progress != Progress::complete) return testing::AssertionFailure() << "not accepted: " << testing::PrintToString(text);
    if (reading != read_byte_by_byte(text)) return testing::AssertionFailure() << "read otherwise byte by byte: " << testing::PrintToString(text);
    return testing::AssertionSuccess();
}

TEST(RequestHead, IsReadAsItStands) {
    const auto reading = read(ordinary + "AccountId=1&");
    ASSERT_EQ(reading.progress, Progress::complete);
    EXPECT_EQ(reading.method, "POST");
    EXPECT_EQ(reading.target, "/?Action=GetAccount&Version=2022-04-19");
    EXPECT_EQ(reading.host, "127.0.0.1:8080");
    EXPECT_EQ(reading.size, ordinary.size());
    EXPECT_EQ(reading.content_length, 12U);
    EXPECT_TRUE(reading.keep_alive);
    EXPECT_FALSE(reading.chunked);
    using Line = std::pair<std::string, std::string>;
    EXPECT_THAT(reading.lines,
                testing::ElementsAre(Line("Host", "127.0.0.1:8080"), Line("x-acs-date", "2023-10-26T10:22:32Z"), Line("Content-Type", "application/x-www-form-urlencoded"),
                                     Line("Empty", ""), Line("Content-Length", "12"), Line("Connection", "keep-alive")));
}

TEST(RequestHead, IsTheSameWhereverItIsSplit) {
    const auto whole = read(ordinary);
    EXPECT_EQ(read_byte_by_byte(ordinary), whole);
    for (std::size_t first = 1; first < ordinary.size(); ++first) {
        ASSERT_EQ(read(ordinary, {first}), whole) << first;
        ASSERT_EQ(read(ordinary.substr(0, first)).progress, Progress::more) << first;
    }
}

TEST(RequestHead, OfTheLastRequestIsForgotten) {
    HeadReader reader(small_limits());
    auto first = "POST /a HTTP/1.0\r\nHost: one\r\nTransfer-Encoding: chunked\r\n\r\n"s, second = get("");
    reader.begin();
    EXPECT_EQ(reader.read(first.data(), first.size()), Progress::refused);
    reader.begin();
    const auto progress = reader.read(second.data(), second.size());
    EXPECT_EQ(reading_of(reader, progress, second.data()), read(second));
}

TEST(RequestHead, MayComeAfterEmptyLines) {
    EXPECT_TRUE(accepted("\r\n" + get("")));
    EXPECT_TRUE(accepted("\r\n\r\n\r\n\r\n" + get("")));
    EXPECT_TRUE(refused("\r\n\r\n\r\n\r\n\r\n" + get("")));
    EXPECT_TRUE(refused("\n" + get("")));
}

TEST(RequestHead, TellsWhetherTheConnectionGoesOn) {
    EXPECT_TRUE(read(get("")).keep_alive);
    EXPECT_FALSE(read(get("Connection: close\r\n")).keep_alive);
    EXPECT_FALSE(read(get("Connection: ,TE ,, Close,\r\n")).keep_alive);
    EXPECT_FALSE(read(get("Connection: keep-alive\r\nConnection: close\r\n")).keep_alive);
    EXPECT_FALSE(read("GET / HTTP/1.0\r\n\r\n").keep_alive);
    EXPECT_TRUE(read("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
}

TEST(RequestHead, TellsWhetherTheClientWaitsForContinue) {
    EXPECT_TRUE(read(get("Expect: 100-Continue\r\nContent-Length: 1\r\n")).expects_continue);
    EXPECT_FALSE(read(get("Expect: something\r\nContent-Length: 1\r\n")).expects_continue);
    EXPECT_FALSE(read("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n").expects_continue);
}

TEST(RequestTarget, IsCutToItsPathWhenItIsAbsolute) {
    const auto target = [](const std::string& sent) { return read("GET " + sent + " HTTP/1.1\r\nHost: h\r\n\r\n").target; };
    EXPECT_EQ(target("http://example.com:80/a?b=c"), "/a?b=c");
    EXPECT_EQ(target("HTTPS://example.com/"), "/");
    EXPECT_EQ(target("http://example.com"), "/");
    EXPECT_EQ(target("http://[::1]:8080?x=http://y/z"), "/?x=http://y/z");
    EXPECT_EQ(target("/a?next=http://example.com/"), "/a?next=http://example.com/");
    EXPECT_TRUE(accepted("GET http://example.com?x HTTP/1.1\r\nHost: h\r\n\r\n"));
}

TEST(RequestTarget, OfAnotherFormIsRefused) {
    for (const auto* target :
         {"*", "example.com:443", "a", "?a", "ftp://example.com/", "http://", "http:///a", "http://a@b/", "http:/a", "://a/", "/a b", "/a\tb", "/\x7f", "/\x01"}) {
        EXPECT_TRUE(refused("GET "s + target + " HTTP/1.1\r\nHost: h\r\n\r\n")) << target;
    }
    EXPECT_TRUE(refused("CONNECT example.com:443 HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_TRUE(refused("GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"s));
    EXPECT_TRUE(accepted("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_TRUE(accepted("GET /\xe4\xb8\xad#x HTTP/1.1\r\nHost: h\r\n\r\n"));
}

TEST(RequestLine, OfAnotherFormIsRefused) {
    for (const auto* line : {"GET / HTTP/2.0", "GET / HTTP/1.2", "GET / HTTP/1.1 ", "GET / http/1.1", "GET /", "GET", "GET  HTTP/1.1", "GET HTTP/1.1", "GET  / HTTP/1.1",
                             "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "G@T / HTTP/1.1", "PRI * HTTP/2.0", "GET / HTTP/1.1\rX: y", "/ HTTP/1.1"}) {
        EXPECT_TRUE(refused(line + "\r\nHost: h\r\n\r\n"s)) << line;
    }
    EXPECT_TRUE(refused(std::string(33, 'M') + " / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_TRUE(accepted(std::string(32, 'M') + " / HTTP/1.1\r\nHost: h\r\n\r\n"));
    EXPECT_TRUE(accepted("get / HTTP/1.1\r\nHost: h\r\n\r\n"));
}

TEST(RequestLine, ThatIsNoHttpIsRefusedBeforeItEnds) {
    EXPECT_TRUE(refused("\x16\x03\x01\x02"));
    EXPECT_TRUE(refused(std::string(33, 'A')));
}

// Each of these has hidden one request in another somewhere.
TEST(Smuggling, IsRefused) {
    for (const auto* lines : {
             "Content-Length: 5\r\nContent-Length: 6\r\n",
             "Content-Length: 5\r\nContent-Length: 5\r\n",
             "Content-Length: 5, 5\r\n",
             "Content-Length: +5\r\n",
             "Content-Length: -5\r\n",
             "Content-Length: 0x5\r\n",
             "Content-Length: 5 5\r\n",
             "Content-Length:\r\n",
             "Content-Length: 5;\r\n",
             "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
             "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
             "Transfer-Encoding: chunked, identity\r\n",
             "Transfer-Encoding: gzip, chunked\r\n",
             "Transfer-Encoding: identity\r\n",
             "Transfer-Encoding: xchunked\r\n",
             "Transfer-Encoding: \"chunked\"\r\n",
             "Transfer-Encoding:\x0b"
             "chunked\r\n",
             "Transfer-Encoding:\r\n chunked\r\n",
             "Transfer-Encoding : chunked\r\n",
             "Content-Length : 5\r\n",
             " Content-Length: 5\r\n",
             "X: y\r\n Content-Length: 5\r\n",
             "X: y\r\n\tfolded\r\n",
             "X: y\nContent-Length: 5\r\n",
             "X: y\rContent-Length: 5\r\n",
             "X: y\r\r\n",
             "X\r\n",
             ": y\r\n",
             "X Y: z\r\n",
             "X\xe9: z\r\n",
             "(x): y\r\n",
             "X: \x7f\r\n",
             "X: a\x01z\r\n",
             "Connection: clo se\r\n",
             "Connection: \"close\"\r\n",
             "Host: other\r\n",
             "Host: h\r\n",
         }) {
        EXPECT_TRUE(refused(get(lines))) << lines;
    }
    EXPECT_TRUE(refused(get("X: a\0b\r\n"s)));
    EXPECT_TRUE(refused(get("X\0: b\r\n"s)));
    EXPECT_TRUE(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"));
    EXPECT_TRUE(refused("GET / HTTP/1.1\nHost: h\n\n"));
    EXPECT_TRUE(refused("GET / HTTP/1.1\r\nHost: h\r\n\n"));
}

TEST(RequestHead, NeedsOneHostOnHttp11) {
    EXPECT_TRUE(refused("GET / HTTP/1.1\r\n\r\n"));
    EXPECT_TRUE(accepted("GET / HTTP/1.0\r\n\r\n"));
    EXPECT_TRUE(accepted("GET / HTTP/1.1\r\nhOST:\r\n\r\n"));
    EXPECT_TRUE(accepted("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"));
    for (const auto* host : {"a b", "a/b", "a@b", "a,b", "a#b", "a?b", "<a>", "a\"b"}) EXPECT_TRUE(refused("GET / HTTP/1.1\r\nHost: "s + host + "\r\n\r\n")) << host;
}

TEST(RequestHead, TakesFieldValuesThatMayStandThere) {
    EXPECT_TRUE(accepted(get("X: a\tb \xe4\xb8\xad \x80 ~!\"#$%&'()*+,-./:;<=>?@[]^_`{|}\r\n")));
    EXPECT_TRUE(accepted(get("!#$%&'*+-.^_`|~aZ09:x\r\n")));
    EXPECT_TRUE(accepted(get("transfer-ENCODING:\t CHUNKED \t\r\n")));
    EXPECT_TRUE(accepted(get("Content-Length: 0000\r\n")));
}

TEST(HeadLimits, HoldToTheByte) {
    const auto limits = small_limits();
    const auto with_target = [](std::size_t size) { return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n"; };
    EXPECT_TRUE(accepted(with_target(limits.target_bytes)));
    EXPECT_TRUE(refused(with_target(limits.target_bytes + 1), Malformed::target_too_long));
    EXPECT_TRUE(refused(with_target(100'000), Malformed::target_too_long));
    EXPECT_TRUE(refused("GET /" + std::string(300, 'a'), Malformed::target_too_long));
    EXPECT_TRUE(refused("GET /" + std::string(300, 'a') + "\r\n\r\n", Malformed::target_too_long));

    const auto without = get("X: \r\n").size() - 1;
    const auto with_headers = [without](std::size_t size) { return get("X: " + std::string(size - without, 'a') + "\r\n"); };
    EXPECT_TRUE(accepted(with_headers(limits.header_bytes)));
    EXPECT_TRUE(refused(with_headers(limits.header_bytes + 1), Malformed::headers_too_large));
    EXPECT_TRUE(refused(get("X: " + std::string(2000, 'a')), Malformed::headers_too_large));
}

TEST(HeadLimits, DoNotCountTheTargetAsHeaders) {
    const auto limits = small_limits();
    const auto target = "/" + std::string(limits.target_bytes - 1, 'a');
    const auto without = ("GET  HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n"s).size();
    EXPECT_TRUE(accepted("GET " + target + " HTTP/1.1\r\nHost: h\r\nX: " + std::string(limits.header_bytes - without, 'a') + "\r\n\r\n"));
}

TEST(HeadLimits, HoldForTheNumberOfLines) {
    base::HttpLimits limits;
    const auto with_lines = [](std::size_t count) {
        auto text = "GET / HTTP/1.1\r\nHost: h\r\n"s;
        for (std::size_t i = 1; i < count; ++i) text += "a:b\r\n";
        return text + "\r\n";
    };
    HeadReader reader(limits);
    for (const auto& [count, expected] : {std::pair(most_header_lines, Progress::complete), std::pair(most_header_lines + 1, Progress::refused)}) {
        auto text = with_lines(count);
        reader.begin();
        EXPECT_EQ(reader.read(text.data(), text.size()), expected) << count;
    }
    EXPECT_EQ(reader.problem(), Malformed::headers_too_large);
}

TEST(HeadLimits, RefuseABodyThatIsOnlyAnnounced) {
    const auto limits = small_limits();
    EXPECT_TRUE(accepted(get("Content-Length: " + std::to_string(limits.body_bytes) + "\r\n")));
    EXPECT_TRUE(refused(get("Content-Length: " + std::to_string(limits.body_bytes + 1) + "\r\n"), Malformed::body_too_large));
    EXPECT_TRUE(refused(get("Content-Length: 18446744073709551616\r\n"), Malformed::body_too_large));
    EXPECT_TRUE(refused(get("Content-Length: " + std::string(500, '9') + "\r\n"), Malformed::body_too_large));
    EXPECT_TRUE(accepted(get("Content-Length: " + std::string(500, '0') + "7\r\n")));
}

std::vector<std::pair<std::string, std::string>> sorted(std::vector<std::pair<std::string, std::string>> lines) {
    std::ranges::sort(lines);
    return lines;
}

// Beast takes more than we do; but what we take it must take too, and understand the same.
TEST(RequestHead, SaysWhatBeastSays) {
    std::vector<std::string> heads{ordinary, get(""), get("Transfer-Encoding: chunked\r\n"), get("Connection: close\r\nX: a\r\n"),
                                   "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"};
    std::mt19937 random(20231026);
    const std::string salt = "\r\n :\t,0159aHX-/?*\x01\x7f\xe9"s + '\0';
    std::size_t compared = 0;
    for (std::size_t round = 0; round < 8'000; ++round) {
        auto text = heads[round % heads.size()];
        for (auto changes = random() % 3 + (round < 10 ? 0U : 1U); changes-- > 0;) {
            const auto at = random() % text.size();
            switch (random() % 3) {
                case 0:
                    text[at] = salt[random() % salt.size()];
                    break;
                case 1:
                    text.insert(at, 1, salt[random() % salt.size()]);
                    break;
                default:
                    text.erase(at, 1);
                    break;
            }
        }
        const auto ours = read(text);
        ASSERT_EQ(read(text, {random() % (text.size() + 1)}), ours) << testing::PrintToString(text);
        if (ours.progress != Progress::complete || text.starts_with("\r\n")) continue;
        const auto theirs = read_with_beast(text.substr(0, ours.size));
        ASSERT_TRUE(theirs) << testing::PrintToString(text);
        ++compared;
        EXPECT_EQ(theirs->method, ours.method);
        EXPECT_EQ(theirs->target, ours.target);
        EXPECT_EQ(theirs->lines, sorted(ours.lines)) << testing::PrintToString(text);
        EXPECT_EQ(theirs->content_length.value_or(0), ours.content_length) << testing::PrintToString(text);
        EXPECT_EQ(theirs->chunked, ours.chunked) << testing::PrintToString(text);
        EXPECT_EQ(theirs->keep_alive, ours.keep_alive) << testing::PrintToString(text);
    }
    EXPECT_GT(compared, 1'000U);
}

}  // namespace
}  // namespace openrd::net
