// What pipeline/handler.cpp defines, as long as it is not there.
#include "base/text.hpp"
#include "pipeline/handler.hpp"

namespace openrd::pipeline {

std::string_view Request::header(std::string_view name) const {
    for (const auto& line : headers)
        if (base::equal_ignoring_case(line.name, name)) return line.value;
    return {};
}

Response refusal(Malformed what, std::string_view host) {
    Response response;
    switch (what) {
        case Malformed::bad_request: response.status = 400; break;
        case Malformed::target_too_long: response.status = 414; break;
        case Malformed::headers_too_large: response.status = 431; break;
        case Malformed::body_too_large: response.status = 413; break;
        case Malformed::too_slow: response.status = 408; break;
        case Malformed::overloaded: response.status = 503; break;
    }
    response.body = std::string(R"({"HostId":")") + std::string(host) + "\"}";
    response.request_id = "R";
    return response;
}

}  // namespace openrd::pipeline
