#pragma once
// The same tree as XML: <ActionResponse>; a wrapped list is <Accounts><Account/>..</Accounts>, a bare one repeats its own name
// (protocol.md D.3). Names are the declarations' own and need no escaping; texts may be any bytes.
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace openrd::wire {

// Content of an element: & < > " escaped, CR as &#13; (parsers would make it LF); what XML 1.0 forbids (control characters,
// U+FFFE, U+FFFF) and what is not UTF-8 becomes U+FFFD.
void append_xml_text(std::string& out, std::string_view text);

// In <![CDATA[ ]]>, safe for any text, "]]>" too.
void append_xml_cdata(std::string& out, std::string_view text);

// json_as_xml.cpp: the one that must parse. Free-form JSON under an element: members become elements (a name that is none in XML
// gets '_' for what does not fit), a list repeats its element, null is left out. What is no JSON is written as text.
void append_json_as_xml(std::string& out, std::string_view name, std::string_view json);

class XmlWriter {
  public:
    explicit XmlWriter(std::string& out) : out_(out) {}
    void begin_answer(std::string_view operation) { out_ += "<?xml version='1.0' encoding='UTF-8'?><", out_ += operation, out_ += "Response>"; }
    void end_answer(std::string_view operation) { out_ += "</", out_ += operation, out_ += "Response>"; }

    void begin_object(std::string_view name) { open(name); }
    void end_object(std::string_view name) { close(name); }
    void text(std::string_view name, std::string_view value) { open(name), append_xml_text(out_, value), close(name); }
    void number(std::string_view name, std::int64_t value) {
        char digits[24];
        open(name), out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr), close(name);
    }
    void boolean(std::string_view name, bool value) { open(name), out_ += value ? "true" : "false", close(name); }
    void json(std::string_view name, std::string_view value) { append_json_as_xml(out_, name, value); }

    void begin_list(std::string_view name, std::string_view item) {
        if (!item.empty()) open(name);
    }
    void end_list(std::string_view name, std::string_view item) {
        if (!item.empty()) close(name);
    }
    void begin_item(std::string_view name) { open(name); }
    void end_item(std::string_view name) { close(name); }
    void text_item(std::string_view name, std::string_view value) { text(name, value); }
    void number_item(std::string_view name, std::int64_t value) { number(name, value); }
    void json_item(std::string_view name, std::string_view value) { json(name, value); }

  private:
    void open(std::string_view name) { out_ += '<', out_ += name, out_ += '>'; }
    void close(std::string_view name) { out_ += "</", out_ += name, out_ += '>'; }
    std::string& out_;
};

}  // namespace openrd::wire
