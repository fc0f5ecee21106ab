#pragma once
// Writes JSON straight into the answer's buffer. Names are the declarations' own and need no escaping; texts may be any bytes.
#include "wire/utf8.hpp"

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace openrd::wire {

// In quotes; valid JSON for any bytes: what is not UTF-8 becomes U+FFFD.
void append_json_text(std::string& out, std::string_view text);

class JsonWriter {
  public:
    explicit JsonWriter(std::string& out) : out_(out) {}
    void begin_answer(std::string_view) { out_ += '{'; }
    void end_answer(std::string_view) { out_ += '}'; }

    void begin_object(std::string_view name) { key(name), out_ += '{'; }
    void end_object(std::string_view) { out_ += '}'; }
    void text(std::string_view name, std::string_view value) { key(name), append_json_text(out_, value); }
    void number(std::string_view name, std::int64_t value) { key(name), append_number(value); }
    void boolean(std::string_view name, bool value) { key(name), out_ += value ? "true" : "false"; }
    void json(std::string_view name, std::string_view value) { key(name), out_ += value; }  // value: JSON of ours

    // item: the name inside the wrapping object, or empty for a bare array.
    void begin_list(std::string_view name, std::string_view item) {
        key(name);
        if (!item.empty()) out_ += '{', key(item);
        out_ += '[';
    }
    void end_list(std::string_view, std::string_view item) { out_ += item.empty() ? "]" : "]}"; }
    void begin_item(std::string_view) { comma(), out_ += '{'; }
    void end_item(std::string_view) { out_ += '}'; }
    void text_item(std::string_view, std::string_view value) { comma(), append_json_text(out_, value); }
    void number_item(std::string_view, std::int64_t value) { comma(), append_number(value); }
    void json_item(std::string_view, std::string_view value) { comma(), out_ += value; }

  private:
    void comma() {
        if (const char last = out_.back(); last != '{' && last != '[') out_ += ',';
    }
    void key(std::string_view name) {
        comma();
        out_ += '"';
        out_ += name;
        out_ += "\":";
    }
    void append_number(std::int64_t value) {
        char digits[24];
        out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
    }
    std::string& out_;
};

}  // namespace openrd::wire
