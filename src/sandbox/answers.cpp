#include "sandbox/answers.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace openrd::sandbox {
namespace {

pipeline::Response answer(int status, std::string_view content_type, std::string body) {
    pipeline::Response response;
    response.status = status;
    response.content_type = content_type;
    response.body = std::move(body);
    response.cors = false;
    response.headers.emplace_back("cache-control", "no-store");
    return response;
}

std::string_view title_of(int status) {
    switch (status) {
        case 400:
            return "Bad Request";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 503:
            return "Service Unavailable";
        default:
            return "Internal Server Error";
    }
}

}  // namespace

pipeline::Response json_answer(std::string json) { return answer(200, "application/json", std::move(json)); }

pipeline::Response text_answer(std::string text) { return answer(200, "text/plain; version=0.0.4; charset=utf-8", std::move(text)); }

pipeline::Response empty_answer() { return answer(204, {}, {}); }

pipeline::Response problem(int status, std::string_view detail) {
    const boost::json::object body{{"type", "about:blank"}, {"title", title_of(status)}, {"status", status}, {"detail", detail}};
    return answer(status, "application/problem+json", boost::json::serialize(body));
}

}  // namespace openrd::sandbox
