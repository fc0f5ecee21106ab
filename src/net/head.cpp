#include "net/head.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace openrd::net {
namespace {

using base::equal_ignoring_case;
using pipeline::Malformed;

// Clients of old send an empty line after a form; RFC 9112 2.2 asks to skip at least one.
constexpr unsigned most_empty_lines = 4;
constexpr std::string_view version_1_1 = " HTTP/1.1", version_1_0 = " HTTP/1.0";

}  // namespace

void HeadReader::begin() {
    auto lines = std::move(head_.lines);
    lines.clear();
    head_ = {};
    head_.lines = std::move(lines);
    lines_.reset();
    stage_ = Stage::request_line;
    line_begin_ = 0;
    empty_lines_ = hosts_ = lengths_ = encodings_ = 0;
    version_1_0_ = close_ = keep_alive_ = false;
}

Progress HeadReader::read(char* bytes, std::size_t size) {
    start_ = bytes;
    while (true) {
        const std::string_view rest(bytes + line_begin_, size - line_begin_);
        std::string_view line;
        const auto found = lines_.next(rest, line);
        if (found == Lines::Found::bare_line_feed) return bad();
        const std::size_t read = found == Lines::Found::line ? line_begin_ + line.size() + 2 : size;
        if (stage_ == Stage::fields && read - head_.target.size > limits_.header_bytes) return refuse(Malformed::headers_too_large);
        if (found == Lines::Found::more) return stage_ == Stage::request_line ? first_line_so_far(rest) : Progress::more;

        Progress progress = Progress::more;
        if (stage_ == Stage::request_line) {
            if (!line.empty()) {
                progress = request_line(bytes, line);
                stage_ = Stage::fields;
            } else if (++empty_lines_ > most_empty_lines) {
                progress = bad();
            }
        } else if (line.empty()) {
            head_.size = static_cast<std::uint32_t>(read);
            return finish();
        } else {
            progress = field(line);
        }
        if (progress == Progress::refused) return progress;
        line_begin_ = read;
    }
}

Progress HeadReader::refuse(Malformed problem) {
    problem_ = problem;
    return Progress::refused;
}

Part HeadReader::part(std::string_view text) const {
    if (text.empty()) return {};
    return {static_cast<std::uint32_t>(text.data() - start_), static_cast<std::uint32_t>(text.size())};
}

// Says no as early as it can: to what is not HTTP at all (a TLS greeting, say), and to a target without an end.
Progress HeadReader::first_line_so_far(std::string_view line) {
    const auto method = line.substr(0, std::min(line.find(' '), line.size()));
    const bool at_line_end = method == "\r";
    if (method.size() > longest_method || (!at_line_end && !octets::all(octets::token, method))) return bad();
    if (line.size() > method.size() + 1 + limits_.target_bytes + version_1_1.size() + 1) return refuse(Malformed::target_too_long);
    return Progress::more;
}

Progress HeadReader::request_line(char* bytes, std::string_view line) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos || space > longest_method || !is_token(line.substr(0, space))) return bad();
    head_.method = part(line.substr(0, space));

    // Without a version the rest is all target, which may still be what is wrong with it.
    const auto target_end = line.rfind(' ') > space ? line.rfind(' ') : line.size();
    const auto target_text = line.substr(space + 1, target_end - space - 1);
    if (target_text.size() > limits_.target_bytes) return refuse(Malformed::target_too_long);
    version_1_0_ = line.substr(target_end) == version_1_0;
    if (target_text.empty() || (!version_1_0_ && line.substr(target_end) != version_1_1)) return bad();
    return is_target(target_text) ? target(bytes, target_text) : bad();
}

Progress HeadReader::target(char* bytes, std::string_view target) {
    if (target.front() == '/') {
        head_.target = part(target);
        return Progress::more;
    }
    if (target == "*") {
        head_.target = part(target);
        return head_.method.of(bytes) == "OPTIONS" ? Progress::more : bad();
    }
    const auto after_scheme = target.find("://");
    if (after_scheme == std::string_view::npos) return bad();
    const auto scheme = target.substr(0, after_scheme);
    if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https")) return bad();
    const auto authority_begin = after_scheme + 3;
    const auto path = std::min(target.find_first_of("/?", authority_begin), target.size());
    const auto authority = target.substr(authority_begin, path - authority_begin);
    if (authority.empty() || !is_host(authority)) return bad();
    const bool rootless = path == target.size() || target[path] == '?';
    head_.target = part(target.substr(rootless ? path - 1 : path));
    if (rootless) bytes[head_.target.begin] = '/';
    return Progress::more;
}

Progress HeadReader::field(std::string_view line) {
    if (head_.lines.size() == most_header_lines) return refuse(Malformed::headers_too_large);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return bad();
    const auto name = line.substr(0, colon);
    const auto value = base::trimmed(line.substr(colon + 1));
    if (!is_token(name) || !is_field_value(value)) return bad();
    head_.lines.push_back({part(name), part(value)});
    return known_field(name, value);
}

Progress HeadReader::known_field(std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 4:
            if (!equal_ignoring_case(name, "host")) break;
            if (++hosts_ > 1 || !is_host(value)) return bad();
            head_.host = part(value);
            break;
        case 6:
            if (equal_ignoring_case(name, "expect") && equal_ignoring_case(value, "100-continue")) head_.expects_continue = true;
            break;
        case 10:
            if (equal_ignoring_case(name, "connection")) return connection(value);
            break;
        case 14:
            if (equal_ignoring_case(name, "content-length")) return content_length(value);
            break;
        case 17:
            if (!equal_ignoring_case(name, "transfer-encoding")) break;
            if (++encodings_ > 1 || !equal_ignoring_case(value, "chunked")) return bad();
            head_.chunked = true;
            break;
        default:
            break;
    }
    return Progress::more;
}

Progress HeadReader::connection(std::string_view list) {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        const auto option = base::trimmed(list.substr(0, comma));
        if (!octets::all(octets::token, option)) return bad();
        close_ = close_ || equal_ignoring_case(option, "close");
        keep_alive_ = keep_alive_ || equal_ignoring_case(option, "keep-alive");
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return Progress::more;
}

Progress HeadReader::content_length(std::string_view value) {
    // A second one is refused even when it says the same: no client of ours repeats it.
    if (++lengths_ > 1 || value.empty()) return bad();
    constexpr std::uint64_t huge = UINT64_MAX / 16;
    for (const char c : value) {
        if (c < '0' || c > '9') return bad();
        if (head_.content_length < huge) head_.content_length = head_.content_length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return Progress::more;
}

Progress HeadReader::finish() {
    if (hosts_ == 0 && !version_1_0_) return bad();
    if (encodings_ > 0 && (lengths_ > 0 || version_1_0_)) return bad();
    if (head_.content_length > limits_.body_bytes) return refuse(Malformed::body_too_large);
    head_.keep_alive = !close_ && (!version_1_0_ || keep_alive_);
    head_.expects_continue = head_.expects_continue && !version_1_0_;
    return Progress::complete;
}

}  // namespace openrd::net
