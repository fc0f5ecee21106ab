#include "pipeline/handler.hpp"

#include "api/faults.hpp"
#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "wire/error_envelope.hpp"

namespace openrd::pipeline {
namespace {

const api::FaultKind& kind_of(Malformed what) {
    switch (what) {
        case Malformed::bad_request:
            return fault::bad_request;
        case Malformed::target_too_long:
            return fault::request_too_large_target;
        case Malformed::headers_too_large:
            return fault::request_too_large_header;
        case Malformed::body_too_large:
            return fault::request_too_large_body;
        case Malformed::too_slow:
            return fault::request_timeout;
        case Malformed::overloaded:
            return fault::service_unavailable;
    }
    return fault::bad_request;
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
    for (const Header& h : headers)
        if (base::equal_ignoring_case(h.name, name)) return h.value;
    return {};
}

std::string_view host_without_port(std::string_view host) {
    if (host.starts_with('[')) return host.substr(0, host.find(']') == host.npos ? host.npos : host.find(']') + 1);
    return host.substr(0, host.find(':'));
}

Response refusal(Malformed what, std::string_view host) {
    const api::FaultKind& kind = kind_of(what);
    Response response;
    response.status = kind.http_status;
    response.request_id = base::request_id();
    // Before there is a request nobody has said which format he wants.
    response.body =
        wire::error_json({.request_id = response.request_id, .host_id = host_without_port(host), .code = kind.code, .message = kind.message, .recommend = "", .denied = nullptr});
    response.close = true;
    return response;
}

}  // namespace openrd::pipeline
