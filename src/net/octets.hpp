#pragma once
// What RFC 9110 and 9112 let stand where in a message, and its lines. Stricter than they allow wherever two readers could
// take the same bytes for different messages.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace openrd::net {

// The most bytes that a method, and the most lines that a head or the trailers may have.
inline constexpr std::size_t longest_method = 32;
inline constexpr std::size_t most_header_lines = 256;

namespace octets {

constexpr std::array<bool, 256> table(std::string_view others) {
    std::array<bool, 256> known{};
    for (unsigned c = 0; c < 256; ++c) known[c] = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    for (const char c : others) known[static_cast<unsigned char>(c)] = true;
    return known;
}
inline constexpr auto token = table("!#$%&'*+-.^_`|~");
inline constexpr auto host = table("-._~%!$&'()*+;=:[]");

constexpr bool all(const std::array<bool, 256>& known, std::string_view text) {
    for (const char c : text)
        if (!known[static_cast<unsigned char>(c)]) return false;
    return true;
}

constexpr std::uint64_t in_each_byte(std::uint8_t c) { return 0x0101010101010101ULL * c; }

// Whether a byte below `least`, or DEL, may be in these eight. Exact when it says no.
constexpr bool suspicious(std::uint64_t eight, std::uint8_t least) {
    const std::uint64_t below = (eight - in_each_byte(least)) & ~eight;
    const std::uint64_t del = eight ^ in_each_byte(0x7F);
    return ((below | ((del - in_each_byte(1)) & ~del)) & in_each_byte(0x80)) != 0;
}

template <class Allowed> bool each_allowed(std::string_view text, std::uint8_t least, Allowed allowed) {
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
        std::uint64_t eight;
        std::memcpy(&eight, text.data() + at, 8);
        if (!suspicious(eight, least)) continue;
        for (std::size_t i = at; i < at + 8; ++i)
            if (!allowed(static_cast<unsigned char>(text[i]))) return false;
    }
    for (; at < text.size(); ++at)
        if (!allowed(static_cast<unsigned char>(text[at]))) return false;
    return true;
}

}  // namespace octets

inline bool is_token(std::string_view text) { return !text.empty() && octets::all(octets::token, text); }

// The value of a field: no control characters but the tab.
inline bool is_field_value(std::string_view text) {
    return octets::each_allowed(text, 0x20, [](unsigned char c) { return (c >= 0x20 && c != 0x7F) || c == '\t'; });
}

// A request target: no control characters and no spaces. What else stands in it is for its reader to judge.
inline bool is_target(std::string_view text) {
    return octets::each_allowed(text, 0x21, [](unsigned char c) { return c > 0x20 && c != 0x7F; });
}

inline bool is_host(std::string_view text) { return octets::all(octets::host, text); }

// Lines that end in CR LF, found without looking at a byte twice however slowly they come.
class Lines {
  public:
    enum class Found : std::uint8_t { line, more, bare_line_feed };

    // `text` begins where the line begins, and holds all that earlier calls saw of it. The line is without its CR LF.
    Found next(std::string_view text, std::string_view& line) {
        const void* at = text.size() > seen_ ? std::memchr(text.data() + seen_, '\n', text.size() - seen_) : nullptr;
        if (at == nullptr) {
            seen_ = text.size();
            return Found::more;
        }
        seen_ = 0;
        const auto size = static_cast<std::size_t>(static_cast<const char*>(at) - text.data());
        if (size == 0 || text[size - 1] != '\r') return Found::bare_line_feed;
        line = text.substr(0, size - 1);
        return Found::line;
    }
    void reset() { seen_ = 0; }

  private:
    std::size_t seen_ = 0;
};

}  // namespace openrd::net
