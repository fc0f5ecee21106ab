#include "openrd/call_http.hpp"

#include "openrd/failure.hpp"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace openrd {
namespace {

class Curl {
  public:
    Curl() {
        // Never closed: what libcurl has set up in the process stays.
        library_ = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
        if (!library_) throw Failure("libcurl.so.4 is not installed (Debian: libcurl4)");
        load(easy_init, "curl_easy_init");
        load(easy_cleanup, "curl_easy_cleanup");
        load(easy_setopt, "curl_easy_setopt");
        load(easy_perform, "curl_easy_perform");
        load(easy_getinfo, "curl_easy_getinfo");
        load(easy_strerror, "curl_easy_strerror");
        load(slist_append, "curl_slist_append");
        load(slist_free_all, "curl_slist_free_all");
    }

    CURL* (*easy_init)() = nullptr;
    void (*easy_cleanup)(CURL*) = nullptr;
    CURLcode (*easy_setopt)(CURL*, CURLoption, ...) = nullptr;
    CURLcode (*easy_perform)(CURL*) = nullptr;
    CURLcode (*easy_getinfo)(CURL*, CURLINFO, ...) = nullptr;
    const char* (*easy_strerror)(CURLcode) = nullptr;
    curl_slist* (*slist_append)(curl_slist*, const char*) = nullptr;
    void (*slist_free_all)(curl_slist*) = nullptr;

  private:
    template <class Function> void load(Function& function, const char* name) {
        function = reinterpret_cast<Function>(dlsym(library_, name));
        if (!function) throw Failure(fmt::format("libcurl.so.4 has no {}", name));
    }
    void* library_;
};

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

HttpAnswer send(const HttpRequest& request) {
    const Curl curl;
    const std::unique_ptr<CURL, void (*)(CURL*)> handle(curl.easy_init(), curl.easy_cleanup);
    if (!handle) throw Failure("libcurl cannot be used");
    // These two libcurl would add on its own: a POST without a body has no type.
    curl_slist* list = curl.slist_append(nullptr, "Expect:");
    if (request.body.empty()) list = curl.slist_append(list, "Content-Type:");
    for (const auto& [name, value] : request.headers) list = curl.slist_append(list, header_line(name, value).c_str());
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> headers(list, curl.slist_free_all);
    HttpAnswer answer;
    const auto set = [&](CURLoption option, auto value) {
        if (curl.easy_setopt(handle.get(), option, value) != CURLE_OK) throw Failure("libcurl is too old for openrd");
    };
    set(CURLOPT_URL, request.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout_ms));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(answer_timeout_ms));
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_WRITEFUNCTION, append);
    set(CURLOPT_WRITEDATA, static_cast<void*>(&answer.body));
    if (request.method == "POST") {
        set(CURLOPT_POST, 1L);
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
        set(CURLOPT_POSTFIELDS, request.body.c_str());
    }
    if (const auto code = curl.easy_perform(handle.get()); code != CURLE_OK) {
        // Not libcurl's own words alone: without the query, which holds parameters and a signature.
        throw Failure(fmt::format("no answer from {}: {}", request.url.substr(0, request.url.find('?')), curl.easy_strerror(code)));
    }
    long status = 0;
    curl.easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
}

}  // namespace openrd
