#include "wire/parameters.hpp"

#include "base/text.hpp"
#include "wire/json_flatten.hpp"
#include "wire/percent.hpp"

#include <optional>

namespace openrd::wire {
namespace {

struct Piece {
    std::string_view name, value;  // still encoded
};

// Calls `each` for the pieces between '&', empty ones left out, until it returns false. False: it did.
template <class Each> bool for_each_piece(std::string_view text, Each each) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('&'), text.size());
        const std::string_view piece = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (piece.empty()) continue;
        const std::size_t equals = std::min(piece.find('='), piece.size());
        if (!each(Piece{piece.substr(0, equals), piece.substr(std::min(equals + 1, piece.size()))})) return false;
    }
    return true;
}

tl::unexpected<ParameterRefusal> refused(ParameterTrouble what, std::string_view name) { return tl::unexpected(ParameterRefusal{what, printable(name)}); }

}  // namespace

BodyKind body_kind(std::string_view content_type) {
    const std::string_view type = base::trimmed(content_type.substr(0, content_type.find(';')));
    if (type.empty()) return BodyKind::none;
    if (base::equal_ignoring_case(type, "application/x-www-form-urlencoded")) return BodyKind::form;
    if (base::equal_ignoring_case(type, "application/json")) return BodyKind::json;
    return BodyKind::other;
}

tl::expected<Parameters, ParameterRefusal> collect(std::string_view query, std::string_view body, BodyKind kind, const base::ParameterLimits& limits) {
    const std::string_view form = kind == BodyKind::form ? body : std::string_view{};
    std::size_t count = 0;
    std::string_view beyond;
    const auto counted = [&](Piece piece) { return beyond = piece.name, ++count <= limits.count; };
    if (!for_each_piece(query, counted) || !for_each_piece(form, counted)) return refused(ParameterTrouble::too_many, form_decode(beyond.substr(0, 256)));

    std::vector<Parameters::Entry> entries;
    entries.reserve(count);
    std::optional<ParameterTrouble> trouble;
    const auto take = [&](Piece piece) {
        auto& [name, value] = entries.emplace_back();
        append_form_decoded(name, piece.name);
        append_form_decoded(value, piece.value);
        if (!base::is_clean_utf8(name) || !base::is_clean_utf8(value)) trouble = ParameterTrouble::not_text;
        if (index_too_large(name, limits.list_index)) trouble = ParameterTrouble::index_too_large;
        return !trouble;
    };
    if (!for_each_piece(query, take) || !for_each_piece(form, take)) return refused(*trouble, entries.back().first);

    // Some clients name a JSON body and send none.
    if (kind == BodyKind::json && !body.empty())
        if (auto flat = flatten_json(body, JsonTop::object, {}, limits, entries); !flat) return tl::unexpected(std::move(flat).error());

    Parameters parameters(std::move(entries));
    const auto all = parameters.all();
    const auto twice = std::ranges::adjacent_find(all, {}, &Parameters::Entry::first);
    if (twice != all.end()) return refused(ParameterTrouble::repeated, twice->first);
    return parameters;
}

std::vector<Parameters::Entry> query_pairs(std::string_view query) {
    std::vector<Parameters::Entry> pairs;
    for_each_piece(query, [&](Piece piece) {
        auto& [name, value] = pairs.emplace_back();
        append_form_decoded(name, piece.name);
        append_form_decoded(value, piece.value);
        return true;
    });
    std::ranges::sort(pairs);
    return pairs;
}

}  // namespace openrd::wire
