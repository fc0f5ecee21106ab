#pragma once
// JSON as a sequence of events, for those in wire/ that need no tree: repeated members and the text of numbers stay visible.
#include <cstddef>
#include <string_view>

namespace openrd::wire {

// Each returns false to stop. Texts live for the call only.
class JsonVisitor {
  public:
    virtual bool begin_object() = 0;
    virtual bool end_object() = 0;
    virtual bool begin_array() = 0;
    virtual bool end_array() = 0;
    virtual bool key(std::string_view name) = 0;
    virtual bool text(std::string_view value) = 0;     // a string, unescaped
    virtual bool literal(std::string_view value) = 0;  // a number as written, true or false
    virtual bool null() = 0;

  protected:
    ~JsonVisitor() = default;
};

// True when all of `json` is one well-formed value (RFC 8259, UTF-8) nested at most max_depth deep and no event said stop.
bool walk_json(std::string_view json, std::size_t max_depth, JsonVisitor& visitor);

}  // namespace openrd::wire
