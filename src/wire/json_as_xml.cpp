#include "wire/json_walk.hpp"
#include "wire/xml_writer.hpp"

#include <vector>

namespace openrd::wire {
namespace {

constexpr std::size_t deepest = 32;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// ASCII alone: "acs:SourceIp" would need a namespace.
std::string element_name(std::string_view name) {
    std::string out(name);
    for (char& c : out)
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '-' && c != '.') c = '_';
    if (out.empty() || !is_letter(out.front())) out.insert(out.begin(), '_');
    return out;
}

class Elements final : public JsonVisitor {
  public:
    Elements(std::string& out, std::string_view name) : xml_(out), name_(name) {}

    bool begin_object() override {
        xml_.begin_object(name_);
        names_.push_back(name_);
        return true;
    }
    bool end_object() override {
        name_ = std::move(names_.back());
        names_.pop_back();
        xml_.end_object(name_);
        return true;
    }
    // A list in a list repeats the same element: XML has no other way to say it.
    bool begin_array() override { return names_.push_back(name_), true; }
    bool end_array() override {
        name_ = std::move(names_.back());
        names_.pop_back();
        return true;
    }
    bool key(std::string_view name) override { return name_ = element_name(name), true; }
    bool text(std::string_view value) override { return xml_.text(name_, value), true; }
    bool literal(std::string_view value) override { return text(value); }
    bool null() override { return true; }

  private:
    XmlWriter xml_;
    std::string name_;                // of the next value
    std::vector<std::string> names_;  // of the containers around it
};

}  // namespace

void append_json_as_xml(std::string& out, std::string_view name, std::string_view json) {
    const std::size_t before = out.size();
    Elements elements(out, name);
    if (walk_json(json, deepest, elements)) return;
    out.resize(before);
    XmlWriter(out).text(name, json);
}

}  // namespace openrd::wire
