#pragma once
// The flat parameters of one request, as signatures and rooms see them: query and body together, decoded, each name once
// (protocol.md A.2, C; decisions.md J).
#include "base/limits.hpp"

#include <tl/expected.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::wire {

// Sorted by the bytes of the name.
class Parameters {
  public:
    using Entry = std::pair<std::string, std::string>;
    Parameters() = default;
    explicit Parameters(std::vector<Entry> entries) : entries_(std::move(entries)) { std::ranges::sort(entries_, {}, &Entry::first); }
    const std::string* find(std::string_view name) const {
        const auto at = std::ranges::lower_bound(entries_, name, {}, [](const Entry& e) { return std::string_view(e.first); });
        return at != entries_.end() && at->first == name ? &at->second : nullptr;
    }
    // All that begin with `prefix` ("Tag.").
    std::span<const Entry> below(std::string_view prefix) const {
        const auto first = std::ranges::lower_bound(entries_, prefix, {}, [](const Entry& e) { return std::string_view(e.first); });
        auto last = first;
        while (last != entries_.end() && last->first.starts_with(prefix)) ++last;
        return {first, last};
    }
    std::span<const Entry> all() const { return entries_; }

  private:
    std::vector<Entry> entries_;
};

enum class BodyKind : std::uint8_t { none, form, json, other };
// Of a Content-Type header: up to ';', trimmed, without regard to case. Empty: none.
BodyKind body_kind(std::string_view content_type);

// repeated: the name stands twice. too_many: more than limits.count. index_too_large: the N of Tag.N is above limits.list_index.
// not_text: not UTF-8, or a NUL inside. bad_body: a JSON body that is no object, is malformed, deeper than 8, or has a
// flattened name longer than 1,024 bytes.
enum class ParameterTrouble : std::uint8_t { repeated, too_many, index_too_large, not_text, bad_body };

struct ParameterRefusal {
    ParameterTrouble what;
    std::string name;  // of the parameter, made printable ASCII and at most 64 bytes, for a message; may be empty with bad_body
};

// The parameters of a request: those of the query, of a form body, and the members of a JSON body (arrays and objects inside
// as Tag.1.Key; numbers and booleans as their JSON text; null is none). Other bodies have none. Nothing is allocated for
// what lies beyond the limits.
// V1 does not sign a JSON body: for one its caller passes BodyKind::other, so that nothing stays outside the signature.
tl::expected<Parameters, ParameterRefusal> collect(std::string_view query, std::string_view body, BodyKind kind, const base::ParameterLimits& limits);

// The decoded pairs of the query alone, sorted by name and then value: what V3 signs. For a query that collect() has accepted
// and a body without parameters it is the same as Parameters::all().
std::vector<Parameters::Entry> query_pairs(std::string_view query);

}  // namespace openrd::wire
