#include "pipeline/authenticate.hpp"

#include "api/faults.hpp"
#include "api/registry.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "keys/ring.hpp"
#include "wire/signature.hpp"

#include <algorithm>

namespace openrd::pipeline {
namespace {

std::string_view query_of(std::string_view target) {
    const auto mark = target.find('?');
    return mark == target.npos ? std::string_view() : target.substr(mark + 1);
}

std::string_view parameter(const Exchange& ex, std::string_view name) {
    const std::string* value = ex.parameters.find(name);
    return value ? std::string_view(*value) : std::string_view();
}

// Neither an Authorization header nor any part of a V1 signature.
bool unsigned_request(const Exchange& ex) { return !ex.acs3 && parameter(ex, "Signature").empty() && parameter(ex, "AccessKeyId").empty(); }

Checked check_time(Exchange& ex, std::string_view text, const base::Settings& settings) {
    if (text.empty()) return refuse(fault::missing, "Timestamp");
    const auto signed_ms = text.size() == 20 ? base::parse_utc(text) : std::nullopt;
    if (!signed_ms) return refuse(fault::timestamp_format);
    const auto within = [&](std::int64_t now_ms) { return *signed_ms >= now_ms - settings.timestamp_window_ms && *signed_ms <= now_ms + settings.timestamp_window_ms; };
    // The sandbox's clock can be moved, its clients' clocks cannot (sandbox.md 3).
    if (!within(ex.now_ms) && !(settings.sandbox && within(base::real_now_ms()))) return refuse(fault::timestamp_expired);
    ex.signed_ms = *signed_ms;
    return {};
}

Checked check_common_v3(Exchange& ex, const base::Settings& settings) {
    const auto parts = wire::parse_authorization(ex.request.header("authorization"));
    if (!parts) return refuse(parts.error() == wire::AuthorizationTrouble::unknown_algorithm ? fault::invalid_signature_method : fault::incomplete_signature);
    if (parts->credential.empty()) return refuse(fault::missing, "AccessKeyId");
    ex.access_key_id = parts->credential;
    ex.token = ex.request.header("x-acs-security-token");
    ex.nonce = ex.request.header("x-acs-signature-nonce");
    if (ex.nonce.empty()) return refuse(fault::missing, "SignatureNonce");
    if (auto refusal = check_time(ex, ex.request.header("x-acs-date"), settings)) return refusal;
    if (!wire::required_headers_signed(parts->signed_headers, !ex.token.empty())) return refuse(fault::incomplete_signature);
    // It says whether the body's bytes are parameters: unsigned, somebody in between could take them away.
    const auto kind = wire::body_kind(ex.request.header("content-type"));
    const bool has_parameters = !ex.request.body.empty() && (kind == wire::BodyKind::form || kind == wire::BodyKind::json);
    if (has_parameters && !wire::header_is_signed(parts->signed_headers, "content-type")) return refuse(fault::incomplete_signature);
    return {};
}

Checked check_common_v1(Exchange& ex, const base::Settings& settings) {
    const auto type = parameter(ex, "SignatureType");
    if (type == "BEARERTOKEN" || !ex.request.header("x-acs-bearer-token").empty()) return refuse(fault::token_malformed);
    if (ex.request.header("authorization").starts_with("acs ")) return refuse(fault::incomplete_signature);
    if (parameter(ex, "AccessKeyId").empty()) return refuse(fault::missing, "AccessKeyId");
    ex.access_key_id = parameter(ex, "AccessKeyId");
    ex.token = parameter(ex, "SecurityToken");
    for (const std::string_view name : {"SignatureMethod", "SignatureVersion", "SignatureNonce", "Signature"})
        if (parameter(ex, name).empty()) return refuse(fault::missing, name);
    if (!type.empty() || !wire::signature_method(parameter(ex, "SignatureMethod"))) return refuse(fault::invalid_signature_method);
    if (parameter(ex, "SignatureVersion") != "1.0") return refuse(fault::invalid_signature_version);
    ex.nonce = parameter(ex, "SignatureNonce");
    return check_time(ex, parameter(ex, "Timestamp"), settings);
}

Checked check_session(Exchange& ex, const keys::Ring& ring) {
    if (ex.token.empty()) return refuse(fault::missing_security_token);
    ex.session = keys::open_session(ring, ex.token);
    if (!ex.session) return refuse(fault::token_malformed);
    if (ex.session->access_key_id != ex.access_key_id) return refuse(fault::token_mismatch);
    if (ex.session->expires_at_ms <= ex.now_ms) return refuse(fault::token_expired);
    return {};
}

// Of a header list as wire/ takes it.
std::vector<wire::HeaderView> header_views(const Request& request) {
    std::vector<wire::HeaderView> views;
    views.reserve(request.headers.size());
    for (const Header& h : request.headers) views.push_back({h.name, h.value});
    return views;
}

Checked check_signature_v3(Exchange& ex) {
    const auto parts = wire::parse_authorization(ex.request.header("authorization"));
    if (!parts) return refuse(fault::incomplete_signature);
    const auto headers = header_views(ex.request);
    const auto kind = ex.request.body.empty() ? wire::BodyKind::none : wire::body_kind(ex.request.header("content-type"));
    // What is signed of the query are its own pairs; without parameters in the body those are all there are.
    const auto own = kind == wire::BodyKind::form || kind == wire::BodyKind::json ? wire::query_pairs(query_of(ex.request.target)) : std::vector<wire::Parameters::Entry>();
    const std::span<const wire::Parameters::Entry> query = kind == wire::BodyKind::form || kind == wire::BodyKind::json ? std::span(own) : ex.parameters.all();
    const auto verdict = wire::verify_v3(*ex.identity->key, *parts, {.method = ex.request.method, .query = query, .headers = headers, .body = ex.request.body});
    if (verdict.ok) return {};
    Refusal refusal = refuse(fault::signature_does_not_match_v3);
    refusal.message = "Specified signature does not match our calculation. server StringToSign is [" + verdict.string_to_sign + "] server CanonicalRequest is [" +
                      verdict.canonical_request + "]";
    return refusal;
}

Checked check_signature_v1(Exchange& ex) {
    const auto text = wire::string_to_sign_v1(ex.request.method, ex.parameters);
    const auto method = wire::signature_method(parameter(ex, "SignatureMethod"));
    if (method && wire::verify_v1(*ex.identity->key, *method, text, parameter(ex, "Signature"))) return {};
    Refusal refusal = refuse(fault::signature_does_not_match_v1);
    refusal.message = "Specified signature is not matched with our calculation. server string to sign is:" + text;
    return refusal;
}

// For what is refused before there are parameters: as good a guess as the text of the query allows.
Format likely_format(std::string_view query, bool acs3) {
    constexpr std::string_view name = "Format=";
    for (auto at = query.find(name); at != query.npos; at = query.find(name, at + 1)) {
        if (at != 0 && query[at - 1] != '&') continue;
        const auto value = query.substr(at + name.size(), query.find('&', at) - at - name.size());
        if (base::equal_ignoring_case(value, "json")) return Format::json;
        if (base::equal_ignoring_case(value, "xml")) return Format::xml;
    }
    return acs3 ? Format::json : Format::xml;
}

Checked choose_format(Exchange& ex) {
    ex.format = ex.acs3 ? Format::json : Format::xml;
    const auto format = parameter(ex, "Format");
    if (format.empty()) return {};
    ex.format = base::equal_ignoring_case(format, "xml") ? Format::xml : Format::json;
    if (ex.format == Format::json && !base::equal_ignoring_case(format, "json")) return refuse(fault::invalid_format);
    return {};
}

}  // namespace

Refusal refuse(const api::FaultKind& kind, std::string_view about) { return refuse(api::Fault(kind).about(about)); }

Refusal refuse(const api::Fault& fault) {
    Refusal refusal{.code = fault.code(), .http_status = fault.kind().http_status, .message = fault.message()};
    if (fault.wait_seconds() > 0) {
        refusal.recommend = "Try again in " + std::to_string(fault.wait_seconds()) + " seconds.";
        refusal.retry_after_ms = fault.wait_seconds() * 1000;
    }
    return refusal;
}

Checked collect(Exchange& ex, const base::Settings& settings) {
    const Request& request = ex.request;
    ex.host = host_without_port(request.header("host"));
    ex.acs3 = wire::is_acs3(request.header("authorization"));
    ex.format = likely_format(query_of(request.target), ex.acs3);
    if (request.method != "GET" && request.method != "POST") return refuse(fault::unsupported_method);
    if (const auto path = request.target.substr(0, request.target.find('?')); path != "/" && !path.empty()) return refuse(fault::action_not_found);
    if (settings.require_tls && !request.tls) return refuse(fault::need_ssl);

    auto kind = request.body.empty() ? wire::BodyKind::none : wire::body_kind(request.header("content-type"));
    // V1 signs the query and a form, nothing else: what it does not sign is no parameter.
    if (kind == wire::BodyKind::json && !ex.acs3) kind = wire::BodyKind::other;
    auto parameters = wire::collect(query_of(request.target), request.body, kind, settings.parameters);
    if (!parameters) return refuse(fault::invalid_parameter_collected, parameters.error().name.empty() ? "Body" : std::string_view(parameters.error().name));
    ex.parameters = *std::move(parameters);
    if (auto refusal = choose_format(ex)) return refusal;
    if (const auto md5 = request.header("content-md5"); !md5.empty() && md5 != wire::md5_base64(request.body)) return refuse(fault::content_md5_not_matched);
    return {};
}

Checked resolve(Exchange& ex) {
    // V1 clients send the x-acs- headers too, and do not sign them: there they count only when nothing is signed at all, which
    // ends in a refusal.
    const bool by_header = ex.acs3 || unsigned_request(ex);
    const auto choose = [&](std::string_view header, std::string_view name) {
        const auto of_header = by_header ? ex.request.header(header) : std::string_view();
        const auto of_parameter = parameter(ex, name);
        return std::pair(of_header.empty() ? of_parameter : of_header, of_header.empty() || of_parameter.empty() || of_header == of_parameter);
    };
    const auto [action, same_action] = choose("x-acs-action", "Action");
    const auto [date, same_version] = choose("x-acs-version", "Version");
    if (action.empty()) return refuse(fault::missing, "Action");
    if (date.empty()) return refuse(fault::missing, "Version");
    if (!same_action) return refuse(fault::invalid_value, "Action");
    const api::Version* version = api::find_version(date);
    if (!version || !same_version) return refuse(fault::invalid_version);
    ex.version = *version;
    ex.operation = api::find(action, *version);
    if (ex.operation) return {};
    return refuse(api::vendor_action(action, *version).empty() ? fault::action_not_found : fault::unsupported_operation);
}

Checked check_common(Exchange& ex, const base::Settings& settings) { return ex.acs3 ? check_common_v3(ex, settings) : check_common_v1(ex, settings); }

Checked find_owner(Exchange& ex, db::Engine& engine, const keys::Ring& ring, Identities& identities) {
    const bool of_session = ex.access_key_id.starts_with("STS.");
    if (!of_session && !ex.token.empty()) return refuse(fault::token_mismatch);
    if (of_session)
        if (auto refusal = check_session(ex, ring)) return refusal;
    // A session is known by its token: everything about it is in there.
    const std::string_view credential = of_session ? std::string_view(ex.token) : std::string_view(ex.access_key_id);
    const auto generation = engine.generation(db::Topic::identities);
    ex.identity = identities.find(credential, generation);
    if (!ex.identity) {
        std::shared_ptr<const Identity> loaded;
        engine.read([&](db::Transaction& tx) { loaded = of_session ? load_session(tx, *ex.session, generation) : load_identity(tx, ring, ex.access_key_id, generation); });
        if (!loaded) return refuse(of_session ? fault::token_malformed : fault::access_key_not_found);
        identities.put(credential, loaded);
        ex.identity = std::move(loaded);
    }
    if (!ex.identity->active) return refuse(fault::access_key_inactive);
    return {};
}

Checked check_signature(Exchange& ex) { return ex.acs3 ? check_signature_v3(ex) : check_signature_v1(ex); }

bool owner_is_known(const Exchange& ex, const db::Engine& engine, Identities& identities) {
    const std::string_view credential = ex.access_key_id.starts_with("STS.") ? std::string_view(ex.token) : std::string_view(ex.access_key_id);
    return identities.find(credential, engine.generation(db::Topic::identities)) != nullptr;
}

Checked refresh_identity(Exchange& ex, db::Transaction& tx, const keys::Ring& ring, std::uint64_t generation) {
    if (ex.identity->generation == generation && !tx.changed_before(db::Topic::identities)) return {};
    return reload_identity(ex, tx, ring, generation);
}

Checked reload_identity(Exchange& ex, db::Transaction& tx, const keys::Ring& ring, std::uint64_t generation) {
    const auto loaded = ex.session ? load_session(tx, *ex.session, generation) : load_identity(tx, ring, ex.access_key_id, generation);
    if (!loaded) return refuse(ex.session ? fault::token_malformed : fault::access_key_not_found);
    if (!loaded->active) return refuse(fault::access_key_inactive);
    ex.identity = loaded;
    return {};
}

}  // namespace openrd::pipeline
