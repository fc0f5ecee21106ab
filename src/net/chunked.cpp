#include "net/chunked.hpp"

#include <algorithm>
#include <cstring>

namespace openrd::net {
namespace {

using pipeline::Malformed;

constexpr std::size_t longest_size_line = 256;

constexpr int hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

void ChunkedReader::begin() {
    lines_.reset();
    stage_ = Stage::size_line;
    body_size_ = missing_ = trailer_lines_ = trailer_bytes_ = 0;
}

Progress ChunkedReader::refuse(Malformed problem) {
    problem_ = problem;
    return Progress::refused;
}

Progress ChunkedReader::read(char* bytes, std::size_t& size) {
    std::size_t at = body_size_;
    Progress progress = Progress::more;
    while (progress == Progress::more) {
        if (stage_ == Stage::data) {
            const auto count = std::min(missing_, size - at);
            std::memmove(bytes + body_size_, bytes + at, count);
            body_size_ += count;
            at += count;
            missing_ -= count;
            if (missing_ > 0) break;
            stage_ = Stage::data_end;
        }
        const std::string_view rest(bytes + at, size - at);
        std::string_view text;
        const auto found = lines_.next(rest, text);
        if (found == Lines::Found::bare_line_feed) return refuse(Malformed::bad_request);
        const auto length = found == Lines::Found::line ? text.size() : rest.size() - (rest.ends_with('\r') ? 1 : 0);
        if (length > longest_line()) { return refuse(stage_ == Stage::trailers ? Malformed::headers_too_large : Malformed::bad_request); }
        if (found == Lines::Found::more) break;
        at += text.size() + 2;
        progress = line(text);
    }
    // What is left is the beginning of a line, or the next request.
    std::memmove(bytes + body_size_, bytes + at, size - at);
    size -= at - body_size_;
    return progress;
}

std::size_t ChunkedReader::longest_line() const {
    switch (stage_) {
        case Stage::data_end:
            return 0;
        case Stage::trailers:
            return trailer_limit_ - trailer_bytes_;
        default:
            return longest_size_line;
    }
}

Progress ChunkedReader::line(std::string_view text) {
    switch (stage_) {
        case Stage::size_line:
            return size_line(text);
        case Stage::data_end:
            stage_ = Stage::size_line;
            return text.empty() ? Progress::more : refuse(Malformed::bad_request);
        default:
            break;
    }
    if (text.empty()) return Progress::complete;
    trailer_bytes_ += text.size();
    if (++trailer_lines_ > most_header_lines) return refuse(Malformed::headers_too_large);
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !is_token(text.substr(0, colon)) || !is_field_value(text.substr(colon + 1))) return refuse(Malformed::bad_request);
    return Progress::more;
}

Progress ChunkedReader::size_line(std::string_view text) {
    std::size_t digits = 0, size = 0;
    for (; digits < text.size() && hexadecimal(text[digits]) >= 0; ++digits) {
        // The limit holds before the next digit could overflow.
        if (size <= body_limit_) size = size * 16 + static_cast<std::size_t>(hexadecimal(text[digits]));
    }
    const auto extensions = text.substr(digits);
    if (digits == 0 || !(extensions.empty() || extensions.front() == ';') || !is_field_value(extensions)) return refuse(Malformed::bad_request);
    if (size > body_limit_ || body_size_ + size > body_limit_) return refuse(Malformed::body_too_large);
    missing_ = size;
    stage_ = size > 0 ? Stage::data : Stage::trailers;
    return Progress::more;
}

}  // namespace openrd::net
