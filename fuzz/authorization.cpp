// An Authorization header (the first line), a query (the second) and other headers ("name:value", one a line) of any bytes: a
// header that is taken is taken the same when it is written again, and what we sign with its SignedHeaders we accept, and
// nothing else.
#include "require.hpp"

#include "base/text.hpp"
#include "wire/signature.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace wire = openrd::wire;
namespace base = openrd::base;
using openrd::fuzz::require;

namespace {

bool within(std::string_view part, std::string_view whole) {
    return part.data() == nullptr || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

std::string_view take_line(std::string_view& text) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return line;
}

bool same(const wire::Acs3& a, const wire::Acs3& b) { return a.credential == b.credential && a.signed_headers == b.signed_headers && a.signature == b.signature; }

void check_names(std::string_view signed_headers) {
    std::size_t count = 0;
    for (std::size_t from = 0; from <= signed_headers.size(); ++count) {
        const std::size_t end = std::min(signed_headers.find(';', from), signed_headers.size());
        const std::string_view name = signed_headers.substr(from, end - from);
        require(!name.empty() && name.find_first_of(":,\n\r \t") == name.npos && base::ascii_lower(name) == name);
        require(wire::header_is_signed(signed_headers, name));
        from = end + 1;
    }
    require(count <= 64);
}

void check_signature(const wire::Acs3& given, std::string_view query, std::string_view lines) {
    static const wire::SigningKey key(base::Secret("another than the seeds were signed with"));
    std::vector<wire::HeaderView> headers;
    while (!lines.empty() && headers.size() < 50) {
        const std::string_view line = take_line(lines);
        const std::size_t colon = std::min(line.find(':'), line.size());
        headers.push_back({line.substr(0, colon), line.substr(std::min(colon + 1, line.size()))});
    }
    const auto pairs = wire::query_pairs(query);
    const wire::V3Request request{"POST", pairs, headers, {}};
    const auto refused = wire::verify_v3(key, given, request);
    require(!refused.ok);  // who guesses a signature has broken HMAC
    require(refused.string_to_sign == wire::string_to_sign_v3(refused.canonical_request));

    std::erase_if(headers, [](const auto& h) { return base::equal_ignoring_case(h.name, "x-acs-content-sha256"); });
    const std::string hash = wire::sha256_hex("");
    headers.push_back({"X-Acs-Content-Sha256", hash});
    const wire::V3Request complete{"POST", pairs, headers, {}};
    const std::string header = wire::sign_v3(key, "testid", given.signed_headers, complete);
    const auto parsed = wire::parse_authorization(header);
    require(parsed && parsed->signed_headers == given.signed_headers);
    const auto verdict = wire::verify_v3(key, *parsed, complete);
    const bool plain = std::ranges::none_of(headers, [&](const auto& h) {
        const std::string name = base::ascii_lower(h.name);
        const auto times = std::ranges::count_if(headers, [&](const auto& other) { return base::equal_ignoring_case(other.name, name); });
        const bool breaks = base::trimmed(h.value).find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
        return wire::header_is_signed(given.signed_headers, name) && (breaks || (times > 1 && (name.starts_with("x-acs-") || name == "host" || name == "content-type")));
    });
    require(verdict.ok == plain);

    auto more = pairs;
    more.emplace_back("Zz", "1");
    require(!wire::verify_v3(key, *parsed, {"POST", more, headers, {}}).ok);
    require(!wire::verify_v3(key, *parsed, {"POST", pairs, headers, "x"}).ok);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const std::string_view authorization = take_line(rest), query = take_line(rest);
    const auto parsed = wire::parse_authorization(authorization);
    if (!parsed) {
        require(parsed.error() == wire::AuthorizationTrouble::malformed || wire::is_acs3(authorization));
        return 0;
    }
    require(wire::is_acs3(authorization));
    for (const auto part : {parsed->credential, parsed->signed_headers, parsed->signature}) require(within(part, authorization));
    const std::string again = "ACS3-HMAC-SHA256 Signature=" + std::string(parsed->signature) + ", SignedHeaders=" + std::string(parsed->signed_headers) +
                              ",Credential=" + std::string(parsed->credential);
    const auto reparsed = wire::parse_authorization(again);
    require(reparsed && same(*parsed, *reparsed));
    check_names(parsed->signed_headers);
    wire::required_headers_signed(parsed->signed_headers, true);
    check_signature(*parsed, query, rest);
    return 0;
}
