#include "policy/json_tree.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

namespace openrd::policy {
namespace {

namespace json = boost::json;
using json::error_code;
using json::string_view;

// What boost::json::basic_parser calls while it reads.
struct Builder {
    static constexpr std::size_t max_object_size = json_members;
    static constexpr std::size_t max_array_size = 4096;
    static constexpr std::size_t max_key_size = 1024;
    static constexpr std::size_t max_string_size = 32 * 1024;

    Node root;
    // The open lists and objects, outermost first. Their addresses hold: only the innermost one grows.
    std::vector<Node*> open;
    std::string key, text;
    bool twice = false;

    Node& place() {
        if (open.empty()) return root;
        Node& node = open.back()->inside.emplace_back();
        if (open.back()->kind == Node::Kind::object) node.key = std::move(key);
        return node;
    }
    bool begin(Node::Kind kind) {
        Node& node = place();
        node.kind = kind;
        open.push_back(&node);
        return true;
    }
    bool end() {
        open.pop_back();
        return true;
    }
    bool other() {
        place();
        return true;
    }

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }
    bool on_object_begin(error_code&) { return begin(Node::Kind::object); }
    bool on_object_end(std::size_t, error_code&) { return end(); }
    bool on_array_begin(error_code&) { return begin(Node::Kind::list); }
    bool on_array_end(std::size_t, error_code&) { return end(); }
    bool on_key_part(string_view part, std::size_t, error_code&) { return text.append(part.data(), part.size()), true; }
    bool on_key(string_view part, std::size_t, error_code& error) {
        key = std::exchange(text, {}).append(part.data(), part.size());
        twice = open.back()->find(key) != nullptr;
        if (twice) error = json::error::exception;  // any error stops the parser; `twice` says which it was
        return !twice;
    }
    bool on_string_part(string_view part, std::size_t, error_code&) { return text.append(part.data(), part.size()), true; }
    bool on_string(string_view part, std::size_t, error_code&) {
        std::string whole = std::exchange(text, {}).append(part.data(), part.size());
        Node& node = place();
        node.kind = Node::Kind::text;
        node.text = std::move(whole);
        return true;
    }
    bool on_number_part(string_view, error_code&) { return true; }
    bool on_int64(std::int64_t, string_view, error_code&) { return other(); }
    bool on_uint64(std::uint64_t, string_view, error_code&) { return other(); }
    bool on_double(double, string_view, error_code&) { return other(); }
    bool on_bool(bool, error_code&) { return other(); }
    bool on_null(error_code&) { return other(); }
    bool on_comment_part(string_view, error_code&) { return true; }
    bool on_comment(string_view, error_code&) { return true; }
};

}  // namespace

const Node* Node::find(std::string_view name) const {
    const auto member = std::ranges::find(inside, name, &Node::key);
    return member == inside.end() ? nullptr : &*member;
}

tl::expected<Node, std::string> parse_json(std::string_view text) {
    json::parse_options options;
    options.max_depth = json_depth;
    json::basic_parser<Builder> parser(options);
    error_code error;
    const std::size_t read = parser.write_some(false, text.data(), text.size(), error);
    if (parser.handler().twice) return tl::unexpected<std::string>("a key stands twice in one object");
    if (error) return tl::unexpected<std::string>("it is not JSON: " + error.message());
    if (read != text.size()) return tl::unexpected<std::string>("it is not JSON: something follows it");
    return std::move(parser.handler().root);
}

}  // namespace openrd::policy
