// A query (the first line) and a form body (the rest) of any bytes: what is taken is within the limits, means the same when it
// is written again in another place, and is all in the texts that are signed.
#include "require.hpp"

#include "base/text.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace wire = openrd::wire;
namespace base = openrd::base;
using openrd::fuzz::require;
using Entries = std::vector<wire::Parameters::Entry>;

namespace {

const base::ParameterLimits limits{.count = 20, .list_index = 50};

Entries entries_of(const wire::Parameters& parameters) { return {parameters.all().begin(), parameters.all().end()}; }

std::string written(const Entries& entries) {
    std::string out;
    for (const auto& [name, value] : entries) out += (out.empty() ? "" : "&") + wire::percent_encode(name) + "=" + wire::percent_encode(value);
    return out;
}

void check_limits(const Entries& entries) {
    require(entries.size() <= limits.count);
    require(std::ranges::is_sorted(entries));
    require(std::ranges::adjacent_find(entries, {}, &wire::Parameters::Entry::first) == entries.end());
    for (const auto& [name, value] : entries) require(base::is_clean_utf8(name) && base::is_clean_utf8(value));
}

// The same again, as a query, as a form, and shared among both.
void check_placement(const Entries& entries) {
    const std::string all = written(entries);
    for (const auto& [query, form] : {std::pair(all, std::string()), std::pair(std::string(), all),
                                      std::pair(written({entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2)}),
                                                written({entries.begin() + static_cast<std::ptrdiff_t>(entries.size() / 2), entries.end()}))}) {
        const auto again = wire::collect(query, form, wire::BodyKind::form, limits);
        require(again.has_value() && entries_of(*again) == entries);
    }
    require(wire::query_pairs(all) == entries);
}

// A text to sign, taken apart again, gives the parameters back.
void check_signed(const wire::Parameters& parameters, const Entries& entries) {
    Entries signed_ones = entries;
    std::erase_if(signed_ones, [](const auto& e) { return e.first == "Signature"; });
    const std::string v1 = wire::string_to_sign_v1("GET", parameters);
    constexpr std::string_view head = "GET&%2F&";
    require(v1.starts_with(head));
    require(wire::form_decode(std::string_view(v1).substr(head.size())) == written(signed_ones));

    const auto v3 = wire::canonical_request({"GET", entries, {}, {}}, "", "", wire::KeyEncoding::encoded);
    require(v3 && *v3 == "GET\n/\n" + written(entries) + "\n:\n\n\n");
    if (const auto raw = wire::canonical_request({"GET", entries, {}, {}}, "", "", wire::KeyEncoding::raw)) {
        std::string_view rest = std::string_view(*raw).substr(6);
        rest = rest.substr(0, rest.find('\n'));
        for (const auto& [name, value] : entries) {
            require(rest.starts_with(name + "=" + wire::percent_encode(value)));
            rest.remove_prefix(name.size() + 1 + wire::percent_encode(value).size());
            require(rest.empty() == (&name == &entries.back().first));
            if (!rest.empty()) require(rest.front() == '&'), rest.remove_prefix(1);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    require(wire::form_decode(wire::percent_encode(text)) == text);
    require(wire::form_decode(text).size() <= size);

    const std::size_t line = std::min(text.find('\n'), size);
    const std::string_view query = text.substr(0, line), form = text.substr(std::min(line + 1, size));
    const auto collected = wire::collect(query, form, wire::BodyKind::form, limits);
    if (!collected) {
        const std::string& name = collected.error().name;
        require(name.size() <= 64 && std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; }));
        return 0;
    }
    const Entries entries = entries_of(*collected);
    for (const auto& e : entries) require(collected->find(e.first) && *collected->find(e.first) == e.second);
    check_limits(entries);
    check_placement(entries);
    check_signed(*collected, entries);
    return 0;
}
