#include "base/text.hpp"
#include "wire/digest.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

namespace openrd::wire {
namespace {

using Entry = Parameters::Entry;

constexpr std::string_view algorithm = "ACS3-HMAC-SHA256";
constexpr std::string_view hash_of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); }

// As it is, such a name would sign the same text as something else: two parameters, another line, or the encoded form of
// another name ("%26", which encoded is "%2526", and which "&" is encoded).
bool is_ambiguous(std::string_view name) {
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        if (c == '&' || c == '=' || c == '\r' || c == '\n' || c == '\0') return true;
        if (c == '%' && name.size() - i > 2 && is_hex(name[i + 1]) && is_hex(name[i + 2])) return true;
    }
    return false;
}

bool may_stand_raw(std::span<const Entry> query) {
    return std::ranges::none_of(query, [](const Entry& e) { return is_ambiguous(e.first); });
}

bool breaks_lines(std::string_view text) {
    bool found = false;
    for (const char c : text) found |= c == '\r' || c == '\n' || c == '\0';
    return found;
}

template <class Each> void for_each_name(std::string_view signed_headers, Each each) {
    for (std::size_t from = 0; from <= signed_headers.size();) {
        const std::size_t end = std::min(signed_headers.find(';', from), signed_headers.size());
        each(signed_headers.substr(from, end - from));
        from = end + 1;
    }
}

void append_query(std::string& out, std::span<const Entry> query, KeyEncoding names) {
    thread_local std::vector<const Entry*> order;
    order.clear();
    for (const Entry& e : query) order.push_back(&e);
    const auto less = [](const Entry* a, const Entry* b) { return *a < *b; };
    if (!std::ranges::is_sorted(order, less)) std::ranges::sort(order, less);
    bool first = true;
    for (const Entry* e : order) {
        if (!first) out += '&';
        first = false;
        if (names == KeyEncoding::raw) out += e->first;
        else append_percent_encoded(out, e->first);
        out += '=';
        append_percent_encoded(out, e->second);
    }
}

// Their values are sorted before they are signed, so the text does not say which of two came first, and a gateway reads the first.
bool must_stand_once(std::string_view name) { return name.starts_with("x-acs-") || name == "content-type" || name == "host"; }

// False: the text does not say all about this header (verify_v3).
bool append_header(std::string& out, std::span<const HeaderView> headers, std::string_view name) {
    out += name;
    out += ':';
    std::string_view value;
    std::size_t found = 0;
    for (const HeaderView& h : headers)
        if (base::equal_ignoring_case(h.name, name)) value = h.value, ++found;
    const std::size_t begin = out.size();
    if (found < 2) {
        out += base::trimmed(value);
    } else {
        std::vector<std::string_view> values;
        for (const HeaderView& h : headers)
            if (base::equal_ignoring_case(h.name, name)) values.push_back(base::trimmed(h.value));
        std::ranges::sort(values);
        for (std::size_t i = 0; i < values.size(); ++i) (out += i == 0 ? "" : ",") += values[i];
    }
    const bool plain = !breaks_lines(std::string_view(out).substr(begin)) && (found < 2 || !must_stand_once(name));
    out += '\n';
    return plain;
}

// False: the text may stand for another request too, and no signature over it is accepted (verify_v3).
bool append_canonical(std::string& out, const V3Request& request, std::string_view signed_headers, std::string_view payload_hash, KeyEncoding names) {
    bool plain = !breaks_lines(request.method);
    out += request.method;
    out += "\n/\n";
    append_query(out, request.query, names);
    out += '\n';
    for_each_name(signed_headers, [&](std::string_view name) { plain &= append_header(out, request.headers, name); });
    out += '\n';
    out += signed_headers;
    out += '\n';
    out += payload_hash;
    return plain;
}

using StringToSign = std::array<char, algorithm.size() + 1 + 64>;

StringToSign to_sign(std::string_view canonical) {
    StringToSign out;
    char* end = std::ranges::copy(algorithm, out.data()).out;
    *end++ = '\n';
    std::ranges::copy(hex_of(sha256(canonical)), end);
    return out;
}

Sha256Hex signature_of(const SigningKey& key, std::string_view canonical) { return hex_of(key.v3_sha256(view_of(to_sign(canonical)))); }

std::string_view content_hash(std::span<const HeaderView> headers) {
    for (const HeaderView& h : headers)
        if (base::equal_ignoring_case(h.name, "x-acs-content-sha256")) return base::trimmed(h.value);
    return {};
}

// One buffer per thread, kept from request to request.
std::string& scratch() {
    thread_local std::string buffer;
    buffer.clear();
    return buffer;
}

}  // namespace

std::optional<std::string> canonical_request(const V3Request& request, std::string_view signed_headers, std::string_view payload_hash, KeyEncoding names) {
    if (names == KeyEncoding::raw && !may_stand_raw(request.query)) return {};
    std::string out;
    append_canonical(out, request, signed_headers, payload_hash, names);
    return out;
}

std::string string_to_sign_v3(std::string_view canonical_request) { return std::string(view_of(to_sign(canonical_request))); }

V3Verdict verify_v3(const SigningKey& key, const Acs3& given, const V3Request& request) {
    const Sha256Hex hash = request.body.empty() ? Sha256Hex{} : hex_of(sha256(request.body));
    const std::string_view payload_hash = request.body.empty() ? hash_of_nothing : view_of(hash);
    const bool raw_first = may_stand_raw(request.query);
    const auto right = [&](KeyEncoding names) {
        std::string& canonical = scratch();
        return append_canonical(canonical, request, given.signed_headers, payload_hash, names) && base::constant_time_equal(view_of(signature_of(key, canonical)), given.signature);
    };
    if (content_hash(request.headers) == payload_hash)
        if ((raw_first && right(KeyEncoding::raw)) || right(KeyEncoding::encoded)) return {.ok = true, .string_to_sign = {}, .canonical_request = {}};

    V3Verdict refused;
    append_canonical(refused.canonical_request, request, given.signed_headers, payload_hash, raw_first ? KeyEncoding::raw : KeyEncoding::encoded);
    refused.string_to_sign = string_to_sign_v3(refused.canonical_request);
    return refused;
}

std::string sign_v3(const SigningKey& key, std::string_view credential, std::string_view signed_headers, const V3Request& request) {
    std::string& canonical = scratch();
    append_canonical(canonical, request, signed_headers, sha256_hex(request.body), may_stand_raw(request.query) ? KeyEncoding::raw : KeyEncoding::encoded);
    std::string out(algorithm);
    out += " Credential=";
    out += credential;
    out += ",SignedHeaders=";
    out += signed_headers;
    out += ",Signature=";
    return out += view_of(signature_of(key, canonical));
}

std::string default_signed_headers(std::span<const HeaderView> headers) {
    std::vector<std::string> names;
    for (const HeaderView& h : headers)
        if (std::string name = base::ascii_lower(h.name); name == "host" || name == "content-type" || name.starts_with("x-acs-")) names.push_back(std::move(name));
    std::ranges::sort(names);
    const auto twice = std::ranges::unique(names);
    names.erase(twice.begin(), twice.end());
    std::string out;
    for (const std::string& name : names) (out += out.empty() ? "" : ";") += name;
    return out;
}

}  // namespace openrd::wire
