#include "base/time_text.hpp"
#include "openrd/call.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

#include <algorithm>

namespace openrd {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string encoded(const Pairs& pairs) {
    std::string out;
    for (const auto& [name, value] : pairs) {
        if (!out.empty()) out += '&';
        wire::append_percent_encoded(out, name);
        out += '=';
        wire::append_percent_encoded(out, value);
    }
    return out;
}

std::string with_query(const std::string& url, const std::string& query) { return query.empty() ? url : url + "?" + query; }

// protocol.md A: everything in the form of a POST, or in the query of a GET.
HttpRequest sign_v1(const CallOptions& call, const Endpoint& endpoint, const Credentials& who, std::int64_t now_ms, const std::string& nonce) {
    Pairs pairs = call.parameters;
    pairs.emplace_back("Action", call.action);
    pairs.emplace_back("Version", call.version);
    pairs.emplace_back("Format", call.format == "xml" ? "XML" : "JSON");
    pairs.emplace_back("AccessKeyId", who.access_key_id);
    pairs.emplace_back("SignatureMethod", "HMAC-SHA1");
    pairs.emplace_back("SignatureVersion", "1.0");
    pairs.emplace_back("SignatureNonce", nonce);
    pairs.emplace_back("Timestamp", base::utc_seconds(now_ms));
    if (!who.security_token.empty()) pairs.emplace_back("SecurityToken", who.security_token);
    const wire::SigningKey key(who.secret);
    pairs.emplace_back("Signature", wire::sign_v1(key, wire::SignatureMethod::hmac_sha1, wire::string_to_sign_v1(call.method, wire::Parameters(pairs))));
    if (call.method == "GET") return {.method = "GET", .url = with_query(endpoint.url(), encoded(pairs))};
    return {.method = "POST", .url = endpoint.url(), .headers = {{"content-type", "application/x-www-form-urlencoded"}}, .body = encoded(pairs)};
}

// protocol.md B: the parameters in the query, the rest in headers.
HttpRequest sign_v3(const CallOptions& call, const Endpoint& endpoint, const Credentials& who, std::int64_t now_ms, const std::string& nonce) {
    Pairs query = call.parameters;
    if (call.format == "xml") query.emplace_back("Format", "XML");
    Pairs headers = {{"host", endpoint.authority()},   {"x-acs-action", call.action},  {"x-acs-content-sha256", wire::sha256_hex({})}, {"x-acs-date", base::utc_seconds(now_ms)},
                     {"x-acs-signature-nonce", nonce}, {"x-acs-version", call.version}};
    if (!who.security_token.empty()) {
        headers.emplace_back("x-acs-accesskey-id", who.access_key_id);
        headers.emplace_back("x-acs-security-token", who.security_token);
    }
    std::vector<wire::HeaderView> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    const wire::SigningKey key(who.secret);
    auto authorization = wire::sign_v3(key, who.access_key_id, wire::default_signed_headers(views), {.method = call.method, .query = query, .headers = views, .body = {}});
    headers.emplace_back("authorization", std::move(authorization));
    return {.method = call.method, .url = with_query(endpoint.url(), encoded(query)), .headers = std::move(headers)};
}

}  // namespace

HttpRequest signed_request(const CallOptions& call, const Endpoint& endpoint, const Credentials& who, std::int64_t now_ms, const std::string& nonce) {
    auto request = call.signature == SignatureVersion::v1 ? sign_v1(call, endpoint, who, now_ms, nonce) : sign_v3(call, endpoint, who, now_ms, nonce);
    request.headers.emplace_back("accept", call.format == "xml" ? "text/xml" : "application/json");
    request.headers.emplace_back("user-agent", "openrd-call");
    return request;
}

}  // namespace openrd
