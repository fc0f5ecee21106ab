// Request heads of any bytes, and chunked bodies behind them: read the same however they are split, and when a head is taken,
// Beast takes it too and understands the same request.
#include "net/beast_reading.hpp"
#include "net/chunked.hpp"
#include "net/head.hpp"
#include "require.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace net = openrd::net;
using net::Progress;
using openrd::fuzz::require;

namespace {

openrd::base::HttpLimits small_limits() {
    openrd::base::HttpLimits limits;
    limits.target_bytes = 512;
    limits.header_bytes = 2048;
    limits.body_bytes = 4096;
    return limits;
}

// On the heap without slack, so that the sanitizer sees a read behind the end.
struct Bytes {
    explicit Bytes(std::string_view text) : size(text.size()), data(std::make_unique<char[]>(text.size())) { std::ranges::copy(text, data.get()); }
    std::size_t size;
    std::unique_ptr<char[]> data;
};

struct HeadReading {
    net::HeadReader reader{small_limits()};
    Progress progress = Progress::more;
    std::string bytes;  // after reading: an absolute target may have been given its '/'
};

HeadReading read_head(std::string_view text, std::size_t step) {
    HeadReading reading;
    reading.reader.begin();
    reading.bytes = text;
    for (std::size_t end = std::min(step, text.size()); reading.progress == Progress::more; end = std::min(end + step, text.size())) {
        const Bytes part(std::string_view(reading.bytes).substr(0, end));
        reading.progress = reading.reader.read(part.data.get(), part.size);
        std::copy_n(part.data.get(), part.size, reading.bytes.begin());
        if (end == text.size()) break;
    }
    return reading;
}

void require_same(const net::Head& a, const net::Head& b) {
    const auto same = [](net::Part x, net::Part y) { return x.begin == y.begin && x.size == y.size; };
    require(same(a.method, b.method) && same(a.target, b.target) && same(a.host, b.host) && a.size == b.size);
    require(a.content_length == b.content_length && a.chunked == b.chunked && a.keep_alive == b.keep_alive && a.expects_continue == b.expects_continue);
    require(std::ranges::equal(a.lines, b.lines, [&](const auto& x, const auto& y) { return same(x.name, y.name) && same(x.value, y.value); }));
}

void compare_with_beast(const net::Head& head, const std::string& bytes, std::string_view as_sent) {
    auto whole = as_sent.substr(0, head.size);
    while (whole.starts_with("\r\n")) whole.remove_prefix(2);  // Beast does not skip empty lines
    const auto theirs = net::read_with_beast(whole);
    require(theirs.has_value());
    const auto target = head.target.of(bytes.data());
    require(theirs->method == head.method.of(bytes.data()));
    if (theirs->target.starts_with('/') || theirs->target == "*") require(theirs->target == target);
    else require(theirs->target.ends_with(target.substr(1)));
    require(theirs->content_length.value_or(0) == head.content_length && theirs->chunked == head.chunked && theirs->keep_alive == head.keep_alive);
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto& line : head.lines) lines.emplace_back(line.name.of(bytes.data()), line.value.of(bytes.data()));
    std::ranges::sort(lines);
    require(theirs->lines == lines);
}

struct BodyReading {
    Progress progress = Progress::more;
    std::string body, rest;
    bool operator==(const BodyReading&) const = default;
};

BodyReading read_body(std::string_view text, std::size_t step) {
    net::ChunkedReader reader(small_limits());
    reader.begin();
    BodyReading reading;
    std::string bytes;
    while (reading.progress == Progress::more && !text.empty()) {
        bytes += text.substr(0, step);
        text.remove_prefix(std::min(step, text.size()));
        const Bytes part(bytes);
        std::size_t size = part.size;
        reading.progress = reader.read(part.data.get(), size);
        require(reader.body_size() <= size && size <= part.size && reader.body_size() <= small_limits().body_bytes);
        bytes.assign(part.data.get(), size);
    }
    if (reading.progress == Progress::complete) {
        reading.body = bytes.substr(0, reader.body_size());
        reading.rest = bytes.substr(reader.body_size()) + std::string(text);
    }
    return reading;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (text.empty()) return 0;
    const auto whole = read_head(text, text.size());
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, text.size() / 2 + 1}) {
        const auto split = read_head(text, step);
        require(split.progress == whole.progress);
        if (whole.progress == Progress::complete) require_same(split.reader.head(), whole.reader.head());
    }
    if (whole.progress != Progress::complete) return 0;

    const auto& head = whole.reader.head();
    require(head.size <= text.size() && text.substr(0, head.size).ends_with("\r\n\r\n"));
    compare_with_beast(head, whole.bytes, text);
    if (!head.chunked) return 0;
    const auto body = text.substr(head.size);
    const auto body_whole = read_body(body, std::max(body.size(), std::size_t{1}));
    for (const std::size_t step : {std::size_t{1}, std::size_t{5}, body.size() / 2 + 1}) require(read_body(body, step) == body_whole);
    return 0;
}
