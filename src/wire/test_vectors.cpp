#include "wire/test_vectors.hpp"

#include "base/text.hpp"

#include <boost/json.hpp>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace openrd::wire::test {
namespace {

std::string text(const boost::json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value ? std::string(value->as_string()) : std::string();
}

std::vector<Vector> load() {
    std::ifstream file(OPENRD_VECTORS);
    const std::string json{std::istreambuf_iterator<char>(file), {}};
    std::vector<Vector> out;
    const auto document = boost::json::parse(json);
    for (const auto& item : document.at("vectors").as_array()) {
        const auto& o = item.as_object();
        Vector v{.id = text(o, "id"),
                 .secret = text(o, "secret"),
                 .method = text(o, "method"),
                 .target = text(o, "target"),
                 .body = text(o, "body"),
                 .access_key = text(o, "access_key"),
                 .string_to_sign = text(o, "string_to_sign"),
                 .canonical_request = text(o, "canonical_request"),
                 .signature = text(o, "signature"),
                 .headers = {},
                 .expect = text(o, "expect") == "refused"        ? Expect::refused
                           : text(o, "expect") == "no-signature" ? Expect::no_signature
                                                                 : Expect::accepted};
        for (const auto& h : o.at("headers").as_array()) v.headers.emplace_back(h.at(0).as_string(), h.at(1).as_string());
        out.push_back(std::move(v));
    }
    return out;
}

// Length before text: no two requests have the same.
void note(std::string& out, std::string_view part) { out.append(std::to_string(part.size())).append(":").append(part); }

Judged refused(std::string_view why) { return {.accepted = false, .why = why, .decoded = {}, .string_to_sign = {}, .canonical_request = {}}; }

Judged judge_v3(const Vector& request, const Parameters& parameters, const SigningKey& key, std::string_view access_key) {
    const auto given = parse_authorization(request.header("authorization"));
    if (!given) return refused("authorization");
    if (given->credential != access_key) return refused("credential");
    if (!required_headers_signed(given->signed_headers, !request.header("x-acs-security-token").empty())) return refused("unsigned headers");
    const auto query = query_pairs(request.query());
    const auto headers = request.views();
    auto verdict = verify_v3(key, *given, {.method = request.method, .query = query, .headers = headers, .body = request.body});

    Judged out{.accepted = verdict.ok,
               .why = verdict.ok ? "" : "signature",
               .decoded = "V3",
               .string_to_sign = std::move(verdict.string_to_sign),
               .canonical_request = std::move(verdict.canonical_request)};
    note(out.decoded, request.method);
    for (const auto& [name, value] : parameters.all()) note(out.decoded, name), note(out.decoded, value);
    for (const auto part : {given->credential, given->signed_headers, given->signature, std::string_view(request.body)}) note(out.decoded, part);
    for (const auto& [name, value] : request.headers)
        if (const auto lower = base::ascii_lower(name); header_is_signed(given->signed_headers, lower)) note(out.decoded, lower), note(out.decoded, base::trimmed(value));
    return out;
}

Judged judge_v1(const Vector& request, const Parameters& parameters, const SigningKey& key, std::string_view access_key) {
    const auto* id = parameters.find("AccessKeyId");
    const auto* signature = parameters.find("Signature");
    const auto* method_name = parameters.find("SignatureMethod");
    if (!id || !signature || !method_name) return refused("missing");
    if (*id != access_key) return refused("credential");
    const auto method = signature_method(*method_name);
    if (!method) return refused("method");
    Judged out;
    out.string_to_sign = string_to_sign_v1(request.method, parameters);
    out.accepted = verify_v1(key, *method, out.string_to_sign, *signature);
    if (!out.accepted) out.why = "signature";
    out.decoded = "V1";
    note(out.decoded, request.method);
    for (const auto& [name, value] : parameters.all()) note(out.decoded, name), note(out.decoded, value);
    return out;
}

}  // namespace

std::string_view Vector::header(std::string_view name) const {
    for (const auto& [n, value] : headers)
        if (base::equal_ignoring_case(n, name)) return value;
    return {};
}

std::vector<HeaderView> Vector::views() const {
    std::vector<HeaderView> out;
    for (const auto& [name, value] : headers) out.push_back({name, value});
    return out;
}

const std::vector<Vector>& vectors() {
    static const std::vector<Vector> all = load();
    return all;
}

const Vector& vector(std::string_view id) {
    for (const Vector& v : vectors())
        if (v.id == id) return v;
    throw std::runtime_error("no vector " + std::string(id));
}

Judged judge(const Vector& request, const SigningKey& key, std::string_view access_key) {
    if (!request.path().empty() && request.path() != "/") return refused("path");
    const auto parameters = collect(request.query(), request.body, body_kind(request.header("content-type")), base::ParameterLimits{});
    if (!parameters) return refused("parameters");
    return is_acs3(request.header("authorization")) ? judge_v3(request, *parameters, key, access_key) : judge_v1(request, *parameters, key, access_key);
}

}  // namespace openrd::wire::test
