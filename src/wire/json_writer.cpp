#include "wire/json_writer.hpp"

namespace openrd::wire {

void append_json_text(std::string& out, std::string_view text) {
    constexpr char hex[] = "0123456789abcdef";
    out += '"';
    std::size_t clean = 0;
    for (std::size_t i = 0; i < text.size();) {
        const auto c = static_cast<unsigned char>(text[i]);
        const std::size_t sequence = c < 0x80 ? 1 : utf8_sequence(text, i);
        if (sequence != 0 && c >= 0x20 && c != '"' && c != '\\') {
            i += sequence;
            continue;
        }
        out.append(text, clean, i - clean);
        clean = ++i;
        if (c >= 0x80) {
            out += replacement_character;
            continue;
        }
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\r':
                out += "\\r";
                break;
            case '\t':
                out += "\\t";
                break;
            default:
                out += "\\u00";
                out += hex[c >> 4];
                out += hex[c & 15];
        }
    }
    out.append(text, clean, text.size() - clean);
    out += '"';
}

}  // namespace openrd::wire
