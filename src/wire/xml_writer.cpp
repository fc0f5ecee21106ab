#include "wire/xml_writer.hpp"

#include "wire/utf8.hpp"

namespace openrd::wire {
namespace {

bool is_noncharacter(std::string_view sequence) { return sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF"; }  // U+FFFE, U+FFFF

// The length of the character at text[at] if XML 1.0 allows it, else 0.
std::size_t xml_character(std::string_view text, std::size_t at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (c < 0x80) return c >= 0x20 || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
    const std::size_t size = utf8_sequence(text, at);
    return is_noncharacter(text.substr(at, size)) ? 0 : size;
}

std::string_view escape(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\r':
            return "&#13;";
        default:
            return {};
    }
}

}  // namespace

void append_xml_text(std::string& out, std::string_view text) {
    std::size_t clean = 0;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t size = xml_character(text, i);
        const std::string_view instead = size == 0 ? replacement_character : escape(text[i]);
        if (!instead.empty()) {
            out.append(text, clean, i - clean);
            out += instead;
            clean = i + 1;
        }
        i += instead.empty() ? size : 1;
    }
    out.append(text, clean, text.size() - clean);
}

void append_xml_cdata(std::string& out, std::string_view text) {
    out += "<![CDATA[";
    const std::size_t begin = out.size();
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t size = xml_character(text, i);
        // The end mark is cut in two: its brackets close this section, its '>' stands in the next.
        if (text[i] == '>' && out.size() >= begin + 2 && std::string_view(out).substr(out.size() - 2) == "]]") out += "]]><![CDATA[";
        if (size == 0) out += replacement_character;
        else out.append(text, i, size);
        i += size == 0 ? 1 : size;
    }
    out += "]]>";
}

}  // namespace openrd::wire
