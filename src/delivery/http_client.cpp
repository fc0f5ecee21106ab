#include "delivery/http_client.hpp"

#include "delivery/address.hpp"
#include "delivery/libcurl.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>

namespace openrd::delivery {
namespace {

constexpr std::int64_t longest_retry_after_ms = base::hour_ms;

// What libcurl tells while it works.
struct Exchange {
    const HttpOptions& options;
    const std::stop_token& stop;
    bool plain = false;    // http
    bool refused = false;  // an address that may not be reached
    bool sending = false;  // connected, and the next byte is the request's
    bool too_large = false;
    std::string body = {};
};

// Sees each address before a connection is made to it, whatever its name resolved to and when.
curl_socket_t open_socket(void* data, curlsocktype, curl_sockaddr* address) {
    auto& exchange = *static_cast<Exchange*>(data);
    const auto& options = exchange.options;
    const bool loopback = is_loopback(address->addr);
    const bool allowed =
        exchange.plain ? loopback && (!options.public_only || options.loopback_too) : !options.public_only || is_public(address->addr) || (loopback && options.loopback_too);
    if (!allowed) exchange.refused = true;
    // One bad address of a name is enough: who gives out such a name means no good.
    if (exchange.refused) return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int about_to_send(void* data, char*, char*, int, int) {
    static_cast<Exchange*>(data)->sending = true;
    return CURL_PREREQFUNC_OK;
}

int progress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& exchange = *static_cast<Exchange*>(data);
    return exchange.stop.stop_requested() && !exchange.sending ? 1 : 0;
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* into) {
    auto& exchange = *static_cast<Exchange*>(into);
    if (exchange.body.size() + size * count > largest_reply_bytes) {
        exchange.too_large = true;
        return 0;
    }
    exchange.body.append(data, size * count);
    return size * count;
}

std::string_view word_of(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
            return "dns";
        case CURLE_COULDNT_CONNECT:
            return "connect";
        case CURLE_OPERATION_TIMEDOUT:
            return "timeout";
        case CURLE_GOT_NOTHING:
            return "empty_reply";
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
        case CURLE_PARTIAL_FILE:
            return "reset";
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return "tls";
        case CURLE_ABORTED_BY_CALLBACK:
            return "stopped";
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_LOGIN_DENIED:  // a user in the address
            return "bad_url";
        default:
            return "transport";
    }
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; });
}

void add_headers(Lines& lines, const HttpRequest& request) {
    lines.add("Expect:");  // which libcurl would add, and wait a second
    lines.add("User-Agent: openrd");
    for (const auto& [name, value] : request.headers) {
        // libcurl leaves out a header without a value unless it ends so.
        std::string line = value.empty() ? fmt::format("{};", name) : fmt::format("{}: {}", name, value.reveal());
        lines.add(line);
        base::wipe(line);
    }
}

void set_up(Easy& easy, const HttpRequest& request, const HttpOptions& options, Exchange& exchange) {
    easy.set(CURLOPT_URL, request.url);
    easy.set(CURLOPT_PROTOCOLS_STR, exchange.plain ? "http" : "https");
    easy.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // with 2 libcurl repeats a refused stream
    easy.set(CURLOPT_FRESH_CONNECT, 1L);
    easy.set(CURLOPT_FORBID_REUSE, 1L);
    easy.set(CURLOPT_FOLLOWLOCATION, 0L);
    easy.set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    easy.set(CURLOPT_NOSIGNAL, 1L);
    easy.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_ms));
    easy.set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.total_ms));
    easy.set(CURLOPT_PROXY, options.proxy);
    easy.set(CURLOPT_SSL_VERIFYPEER, 1L);
    easy.set(CURLOPT_SSL_VERIFYHOST, 2L);
    easy.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options.ca_file.empty()) easy.set(CURLOPT_CAINFO, options.ca_file);
    easy.set(CURLOPT_OPENSOCKETFUNCTION, open_socket);
    easy.set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(&exchange));
    easy.set(CURLOPT_PREREQFUNCTION, about_to_send);
    easy.set(CURLOPT_PREREQDATA, static_cast<void*>(&exchange));
    easy.set(CURLOPT_NOPROGRESS, 0L);
    easy.set(CURLOPT_XFERINFOFUNCTION, progress);
    easy.set(CURLOPT_XFERINFODATA, static_cast<void*>(&exchange));
    easy.set(CURLOPT_WRITEFUNCTION, append);
    easy.set(CURLOPT_WRITEDATA, static_cast<void*>(&exchange));
    if (request.method == "POST") {
        easy.set(CURLOPT_POST, 1L);
        easy.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.reveal().size()));
        easy.set(CURLOPT_POSTFIELDS, request.body.reveal().data());
    }
}

}  // namespace

HttpReply HttpClient::exchange(const HttpRequest& request, const std::stop_token& stop) const {
    HttpReply reply;
    Exchange exchange{.options = options_, .stop = stop, .plain = request.url.starts_with("http://")};
    const bool bad_header = std::ranges::any_of(request.headers, [](const auto& header) { return has_control(header.second.reveal()); });
    if (bad_header || has_control(request.url) || (exchange.plain && !options_.proxy.empty())) {
        reply.evidence = Evidence::refused;
        reply.why = "bad_request";
        return reply;
    }
    Easy easy;
    Lines headers;
    add_headers(headers, request);
    set_up(easy, request, options_, exchange);
    easy.set(CURLOPT_HTTPHEADER, headers.get());
    const auto code = easy.perform();
    if (code == CURLE_OK) {
        reply.evidence = Evidence::answered;
        reply.status = static_cast<int>(easy.status());
        reply.body = std::move(exchange.body);
        const auto seconds = easy.number(CURLINFO_RETRY_AFTER);
        if (seconds > 0) reply.retry_after_ms = std::min<std::int64_t>(seconds, longest_retry_after_ms / base::second_ms) * base::second_ms;
        return reply;
    }
    reply.why = exchange.too_large ? "reply_too_large" : word_of(code);
    if (exchange.sending) reply.evidence = Evidence::no_answer;
    else if (exchange.refused) reply.evidence = Evidence::refused, reply.why = "address_refused";
    else reply.evidence = reply.why == "bad_url" ? Evidence::refused : Evidence::nothing_sent;
    return reply;
}

std::optional<SendResult> classified(const HttpReply& reply) {
    const auto result = [&](Sent outcome, std::string code) {
        return SendResult{.outcome = outcome, .provider_ref = {}, .provider_code = std::move(code), .retry_after_ms = reply.retry_after_ms};
    };
    switch (reply.evidence) {
        case Evidence::nothing_sent:
            return result(Sent::not_sent, reply.why);
        case Evidence::refused:
            return result(Sent::channel_down, reply.why);
        case Evidence::no_answer:
            return result(Sent::unknown, reply.why);
        case Evidence::answered:
            break;
    }
    if (reply.status == 429) return result(Sent::throttled, "http_429");
    if (reply.status >= 500 || reply.status < 200) return result(Sent::unknown, fmt::format("http_{}", reply.status));
    // Redirects are not followed, and what redirects does not send: the address is wrong, for all messages.
    if (reply.status >= 300 && reply.status < 400) return result(Sent::channel_down, fmt::format("http_{}", reply.status));
    return {};
}

}  // namespace openrd::delivery
