#include "openrd/call_http.hpp"

#include "delivery/libcurl.hpp"
#include "openrd/failure.hpp"

#include <fmt/format.h>

#include <cstdlib>

#include <algorithm>
#include <string_view>

namespace openrd {
namespace {

std::string header_line(std::string_view name, std::string_view value) {
    if (std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
        throw Failure(fmt::format("{} cannot be sent: it holds a control character", name));
    // libcurl leaves out a header without a value unless it ends so.
    return value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value);
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* into) {
    auto& body = *static_cast<std::string*>(into);
    if (body.size() + size * count > largest_answer_bytes) return 0;
    body.append(data, size * count);
    return size * count;
}

}  // namespace

HttpAnswer send(const HttpRequest& request) try {
    delivery::Easy easy;
    // These two libcurl would add on its own: a POST without a body has no type.
    delivery::Lines headers;
    headers.add("Expect:");
    if (request.body.empty()) headers.add("Content-Type:");
    for (const auto& [name, value] : request.headers) headers.add(header_line(name, value));
    HttpAnswer answer;
    easy.set(CURLOPT_URL, request.url);
    easy.set(CURLOPT_PROTOCOLS_STR, "http,https");
    easy.set(CURLOPT_FOLLOWLOCATION, 0L);
    easy.set(CURLOPT_NOSIGNAL, 1L);
    easy.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout_ms));
    easy.set(CURLOPT_TIMEOUT_MS, static_cast<long>(answer_timeout_ms));
    // As OpenSSL's own programs have it: a private cloud's certificates are its own. libcurl would look at its built-in path only.
    if (const char* file = std::getenv("SSL_CERT_FILE"); file && *file) easy.set(CURLOPT_CAINFO, std::string(file));
    easy.set(CURLOPT_HTTPHEADER, headers.get());
    easy.set(CURLOPT_WRITEFUNCTION, append);
    easy.set(CURLOPT_WRITEDATA, static_cast<void*>(&answer.body));
    if (request.method == "POST") {
        easy.set(CURLOPT_POST, 1L);
        easy.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        easy.set(CURLOPT_POSTFIELDS, request.body);
    }
    if (const auto code = easy.perform(); code != CURLE_OK) {
        // Not libcurl's own words alone: without the query, which holds parameters and a signature.
        throw Failure(fmt::format("no answer from {}: {}", request.url.substr(0, request.url.find('?')), delivery::libcurl().easy_strerror(code)));
    }
    answer.status = static_cast<int>(easy.status());
    return answer;
} catch (const Failure&) { throw; } catch (const std::runtime_error& error) {  // libcurl is not there
    throw Failure(error.what());
}

}  // namespace openrd
