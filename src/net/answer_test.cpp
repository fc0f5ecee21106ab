#include "net/answer.hpp"

#include <gmock/gmock.h>

namespace openrd::net {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

class Answer : public testing::Test {
  protected:
    Answer() {
        clock.freeze(true);
        clock.set_ms(1'698'315'752'747);
    }
    std::string written(const pipeline::Response& response, AnswerWriter::Form form = {}) {
        std::string out;
        writer.append(out, response, form);
        return out;
    }

    base::Clock clock;
    AnswerWriter writer{clock, 75'500};
};

TEST_F(Answer, HasTheVendorsHeaders) {
    pipeline::Response response;
    response.body = R"({"a":1})";
    response.request_id = "7F75E7B4-4636-4DB4-A8DE-5FC4A9E1F876";
    response.headers = {{"x-acs-retry-after", "200"}};
    auto out = written(response);
    const auto trace = out.find("x-acs-trace-id: ") + 16;
    EXPECT_THAT(out.substr(trace, 34), MatchesRegex("[0-9a-f]+\r\n"));
    out.replace(trace, 32, "T");
    EXPECT_EQ(out,
              "HTTP/1.1 200 OK\r\n"
              "date: Thu, 26 Oct 2023 10:22:32 GMT\r\n"
              "content-type: application/json;charset=utf-8\r\n"
              "content-length: 7\r\n"
              "connection: keep-alive\r\n"
              "keep-alive: timeout=75\r\n"
              "access-control-allow-origin: *\r\n"
              "access-control-expose-headers: *\r\n"
              "x-acs-request-id: 7F75E7B4-4636-4DB4-A8DE-5FC4A9E1F876\r\n"
              "x-acs-trace-id: T\r\n"
              "x-acs-retry-after: 200\r\n"
              "\r\n"
              R"({"a":1})");
}

TEST_F(Answer, LeavesOutWhatItDoesNotHave) {
    pipeline::Response response;
    response.cors = false;
    EXPECT_EQ(written(response, {.keep_alive = false}),
              "HTTP/1.1 200 OK\r\ndate: Thu, 26 Oct 2023 10:22:32 GMT\r\ncontent-type: application/json;charset=utf-8\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

TEST_F(Answer, TellsTheTimeOfItsClock) {
    clock.advance_ms(252);
    EXPECT_THAT(written({}), HasSubstr("\r\ndate: Thu, 26 Oct 2023 10:22:32 GMT\r\n"));
    clock.advance_ms(1);
    EXPECT_THAT(written({}), HasSubstr("\r\ndate: Thu, 26 Oct 2023 10:22:33 GMT\r\n"));
    clock.set_ms(0);
    EXPECT_THAT(written({}), HasSubstr("\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"));
}

TEST_F(Answer, HasAnotherTraceIdEachTime) {
    pipeline::Response response;
    response.request_id = "R";
    EXPECT_NE(written(response), written(response));
}

TEST_F(Answer, ToHeadHasTheLengthWithoutTheBody) {
    pipeline::Response response;
    response.body = "12345";
    const auto out = written(response, {.head_only = true});
    EXPECT_THAT(out, HasSubstr("\r\ncontent-length: 5\r\n"));
    EXPECT_THAT(out, EndsWith("\r\n\r\n"));
}

TEST_F(Answer, WithoutContentHasNoLength) {
    for (const int status : {204, 304}) {
        pipeline::Response response;
        response.status = status;
        response.body = "x";
        const auto out = written(response);
        EXPECT_THAT(out, Not(HasSubstr("content-")));
        EXPECT_THAT(out, EndsWith("\r\n\r\n"));
    }
}

TEST_F(Answer, NamesItsStatus) {
    const auto first_line = [this](int status) {
        pipeline::Response response;
        response.status = status;
        const auto out = written(response);
        return out.substr(0, out.find("\r\n"));
    };
    EXPECT_EQ(first_line(404), "HTTP/1.1 404 Not Found");
    EXPECT_EQ(first_line(431), "HTTP/1.1 431 Request Header Fields Too Large");
    EXPECT_EQ(first_line(418), "HTTP/1.1 418 ");
    EXPECT_EQ(first_line(0), "HTTP/1.1 500 Internal Server Error");
    EXPECT_EQ(first_line(100), "HTTP/1.1 500 Internal Server Error");
    EXPECT_EQ(first_line(-7), "HTTP/1.1 500 Internal Server Error");
    EXPECT_EQ(first_line(1000), "HTTP/1.1 500 Internal Server Error");
}

TEST_F(Answer, CannotBeSplitByItsHeaders) {
    pipeline::Response response;
    response.request_id = "a\r\nb: c";
    response.headers = {{"x-one", "b\r\nset-cookie: c"}, {"x-two", "c\nd"}, {"x\r\ny", "z"}, {"", "empty"}, {"a b", "c"}, {"x-good", "yes"}};
    const auto out = written(response);
    EXPECT_THAT(out, HasSubstr("\r\nx-good: yes\r\n"));
    for (const auto* part : {"set-cookie", "b: c", "x-one", "x-two", "y: z", "empty", "a b"}) EXPECT_THAT(out, Not(HasSubstr(part)));
}

TEST_F(Answer, SaysItselfWhereItEnds) {
    pipeline::Response response;
    response.headers = {{"Content-Length", "99"}, {"transfer-encoding", "chunked"}, {"Connection", "upgrade"}, {"Date", "never"}};
    const auto out = written(response);
    for (const auto* part : {"99", "chunked", "upgrade", "never"}) EXPECT_THAT(out, Not(HasSubstr(part)));
}

TEST_F(Answer, IsAppended) {
    std::string out = "before";
    writer.append(out, {}, {});
    EXPECT_THAT(out, StartsWith("beforeHTTP/1.1 200 OK\r\n"));
}

}  // namespace
}  // namespace openrd::net
