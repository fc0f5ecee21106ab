#include "wire/percent.hpp"

#include <array>

namespace openrd::wire {
namespace {

constexpr auto unreserved = [] {
    std::array<bool, 256> table{};
    for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
    for (unsigned c = 'A'; c <= 'Z'; ++c) table[c] = table[c + 32] = true;
    for (const char c : {'-', '_', '.', '~'}) table[static_cast<unsigned char>(c)] = true;
    return table;
}();

constexpr char digits[] = "0123456789ABCDEF";

template <std::size_t Size> void append_encoded(std::string& out, std::string_view text, const char (&escape)[Size]) {
    std::size_t clean = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (unreserved[c]) continue;
        out.append(text, clean, i - clean);
        clean = i + 1;
        out.append(escape, Size - 1);
        out += digits[c >> 4];
        out += digits[c & 15];
    }
    out.append(text, clean, text.size() - clean);
}

int nibble(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

}  // namespace

void append_percent_encoded(std::string& out, std::string_view text) { append_encoded(out, text, "%"); }
void append_twice_percent_encoded(std::string& out, std::string_view text) { append_encoded(out, text, "%25"); }

std::string percent_encode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    append_percent_encoded(out, text);
    return out;
}

void append_form_decoded(std::string& out, std::string_view text) {
    std::size_t clean = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c != '+' && c != '%') continue;
        int high = -1, low = -1;
        if (c == '%') {
            if (text.size() - i <= 2) continue;
            high = nibble(text[i + 1]), low = nibble(text[i + 2]);
            if (high < 0 || low < 0) continue;
        }
        out.append(text, clean, i - clean);
        out += c == '+' ? ' ' : static_cast<char>(high * 16 + low);
        if (c == '%') i += 2;
        clean = i + 1;
    }
    out.append(text, clean, text.size() - clean);
}

std::string form_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    append_form_decoded(out, text);
    return out;
}

}  // namespace openrd::wire
