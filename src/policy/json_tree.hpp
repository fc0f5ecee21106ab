#pragma once
// JSON as a small tree for the policy parser: strict, bounded, and with no key twice (boost::json::parse would quietly keep the
// last one, so that a reader and openrd could see two different policies).
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace openrd::policy {

struct Node {
    // Numbers, booleans and null have no place in a policy; they are `other`.
    enum class Kind : std::uint8_t { other, text, list, object };
    Kind kind = Kind::other;
    std::string key;  // of a member of an object
    std::string text;
    std::vector<Node> inside;  // a list's items, an object's members

    const Node* find(std::string_view name) const;
};

inline constexpr std::size_t json_depth = 8;
inline constexpr std::size_t json_members = 64;  // of one object

// The tree, or one line that says what is wrong.
tl::expected<Node, std::string> parse_json(std::string_view text);

}  // namespace openrd::policy
