#include "net/answer.hpp"

#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "net/octets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace openrd::net {
namespace {

// What comes between the status and the body, with room to spare.
constexpr std::size_t usual_head_bytes = 512;

constexpr std::string_view status_line(int status) {
    switch (status) {
        case 200:
            return "HTTP/1.1 200 OK\r\n";
        case 201:
            return "HTTP/1.1 201 Created\r\n";
        case 202:
            return "HTTP/1.1 202 Accepted\r\n";
        case 204:
            return "HTTP/1.1 204 No Content\r\n";
        case 301:
            return "HTTP/1.1 301 Moved Permanently\r\n";
        case 302:
            return "HTTP/1.1 302 Found\r\n";
        case 304:
            return "HTTP/1.1 304 Not Modified\r\n";
        case 308:
            return "HTTP/1.1 308 Permanent Redirect\r\n";
        case 400:
            return "HTTP/1.1 400 Bad Request\r\n";
        case 401:
            return "HTTP/1.1 401 Unauthorized\r\n";
        case 403:
            return "HTTP/1.1 403 Forbidden\r\n";
        case 404:
            return "HTTP/1.1 404 Not Found\r\n";
        case 405:
            return "HTTP/1.1 405 Method Not Allowed\r\n";
        case 408:
            return "HTTP/1.1 408 Request Timeout\r\n";
        case 409:
            return "HTTP/1.1 409 Conflict\r\n";
        case 413:
            return "HTTP/1.1 413 Content Too Large\r\n";
        case 414:
            return "HTTP/1.1 414 URI Too Long\r\n";
        case 415:
            return "HTTP/1.1 415 Unsupported Media Type\r\n";
        case 429:
            return "HTTP/1.1 429 Too Many Requests\r\n";
        case 431:
            return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
        case 500:
            return "HTTP/1.1 500 Internal Server Error\r\n";
        case 503:
            return "HTTP/1.1 503 Service Unavailable\r\n";
        default:
            return {};
    }
}

void append_number(std::string& out, std::size_t number) {
    const fmt::format_int text(number);
    out.append(text.data(), text.size());
}

void append_status(std::string& out, int status) {
    if (const auto line = status_line(status); !line.empty()) {
        out += line;
        return;
    }
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(status));
    out += " \r\n";  // the space stays when there is no phrase (RFC 9112 4)
}

bool is_of_the_connection(std::string_view name) {
    constexpr std::array<std::string_view, 6> names{"connection", "content-length", "date", "keep-alive", "transfer-encoding", "upgrade"};
    return std::ranges::any_of(names, [name](std::string_view known) { return base::equal_ignoring_case(known, name); });
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
    if (!is_field_value(value)) return;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

std::uint64_t seed() {
    const auto bytes = base::random_bytes(sizeof(std::uint64_t));
    std::uint64_t value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

}  // namespace

AnswerWriter::AnswerWriter(const base::Clock& clock, std::int64_t idle_time_ms)
    : clock_(clock), keep_alive_(fmt::format("connection: keep-alive\r\nkeep-alive: timeout={}\r\n", idle_time_ms / base::second_ms)), random_state_(seed()) {}

void AnswerWriter::append(std::string& out, const pipeline::Response& response, Form form) {
    const int status = response.status >= 200 && response.status <= 599 ? response.status : 500;
    const bool bodiless = status == 204 || status == 304;
    out.reserve(out.size() + usual_head_bytes + response.body.size());
    append_status(out, status);
    append_date(out);
    if (!bodiless) {
        if (!response.content_type.empty()) append_header(out, "content-type", response.content_type);
        out += "content-length: ";
        append_number(out, response.body.size());
        out += "\r\n";
    }
    out += form.keep_alive ? std::string_view(keep_alive_) : std::string_view("connection: close\r\n");
    if (response.cors) out += "access-control-allow-origin: *\r\naccess-control-expose-headers: *\r\n";
    if (!response.request_id.empty()) {
        append_header(out, "x-acs-request-id", response.request_id);
        append_trace_id(out);
    }
    for (const auto& [name, value] : response.headers) {
        if (is_token(name) && !is_of_the_connection(name)) append_header(out, name, value);
    }
    out += "\r\n";
    if (!bodiless && !form.head_only) out += response.body;
}

void AnswerWriter::append_date(std::string& out) {
    const std::int64_t now_ms = clock_.now_ms();
    if (const auto second = now_ms / base::second_ms; second != date_second_) {
        date_second_ = second;
        date_ = fmt::format("date: {}\r\n", base::http_date(now_ms));
    }
    out += date_;
}

// The vendor's trace ids are random; nothing secret hangs on them, so they need no call of the kernel each.
void AnswerWriter::append_trace_id(std::string& out) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 32> text;
    for (std::size_t half = 0; half < text.size(); half += 16) {
        auto bits = random();
        for (std::size_t i = 0; i < 16; ++i, bits >>= 4) text[half + i] = digits[bits & 15];
    }
    out += "x-acs-trace-id: ";
    out.append(text.data(), text.size());
    out += "\r\n";
}

// SplitMix64.
std::uint64_t AnswerWriter::random() {
    std::uint64_t z = random_state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

}  // namespace openrd::net
