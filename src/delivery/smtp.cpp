#include "delivery/smtp.hpp"

#include "base/clock.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "delivery/libcurl.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace openrd::delivery {
namespace {

constexpr std::size_t base64_line = 76;
constexpr std::int64_t grace_ms = 200;  // so that libcurl's own time-out is the one that is reported

bool is_ascii(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) > 0x7E; });
}

// RFC 2047, each word at most 75 characters and whole letters only.
std::string encoded_words(std::string_view text) {
    std::string out, word;
    const auto flush = [&] {
        if (word.empty()) return;
        if (!out.empty()) out += "\r\n ";
        out += "=?UTF-8?B?" + base::base64(word) + "?=";
        word.clear();
    };
    for (const char c : text) {
        const bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
        if (begins && word.size() >= 39) flush();
        word += c;
    }
    flush();
    return out;
}

void append_body(std::string& out, std::string_view text) {
    auto encoded = base::base64(text);
    for (std::size_t at = 0; at < encoded.size(); at += base64_line) out += std::string_view(encoded).substr(at, base64_line), out += "\r\n";
    base::wipe(encoded);
}

// What libcurl reads from, and how far it got: until the last byte is out nothing can have been delivered.
struct Letter {
    std::string_view rest;
    bool sending = false, all_out = false;
    const std::stop_token& stop;
    std::int64_t until_ns;  // libcurl says QUIT even after its time-out, and would wait two minutes for the answer
};

std::size_t read_letter(char* into, std::size_t size, std::size_t count, void* data) {
    auto& letter = *static_cast<Letter*>(data);
    const auto bytes = std::min(size * count, letter.rest.size());
    std::copy_n(letter.rest.data(), bytes, into);
    letter.rest.remove_prefix(bytes);
    letter.all_out |= letter.rest.empty();
    return bytes;
}

int about_to_send(void* data, char*, char*, int, int) {
    static_cast<Letter*>(data)->sending = true;
    return CURL_PREREQFUNC_OK;
}

int progress(void* data, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    const auto& letter = *static_cast<Letter*>(data);
    return (letter.stop.stop_requested() && !letter.sending) || base::monotonic_ns() > letter.until_ns ? 1 : 0;
}

std::size_t drop(char*, std::size_t size, std::size_t count, void*) { return size * count; }

struct Verdict {
    Sent outcome;
    std::string code;
};

// `status`: of the server's last answer.
Verdict judged(CURLcode code, long status, const Letter& letter) {
    if (code == CURLE_OK) return {Sent::accepted, fmt::format("smtp_{}", status)};
    if (code == CURLE_LOGIN_DENIED) return {Sent::channel_down, "login_denied"};
    if (code == CURLE_USE_SSL_FAILED) return {Sent::channel_down, "no_starttls"};
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) return {Sent::channel_down, "bad_url"};
    const bool refused = status >= 400 && status < 600;
    if (letter.all_out && !refused) return {Sent::unknown, "no_answer"};
    if (!letter.sending) return {refused && status >= 500 ? Sent::channel_down : Sent::not_sent, refused ? fmt::format("smtp_{}", status) : std::string("connect")};
    if (!refused) return {Sent::not_sent, "transport"};
    // 530, 535: this user may not; 552 and the like are about the letter.
    if (status == 530 || status == 535) return {Sent::channel_down, fmt::format("smtp_{}", status)};
    return {status < 500 ? Sent::not_sent : Sent::rejected, fmt::format("smtp_{}", status)};
}

}  // namespace

bool is_mail_address(std::string_view text) {
    const auto at = text.find('@');
    return text.size() <= 254 && at != std::string_view::npos && at > 0 && at <= 64 && at + 1 < text.size() && text.find('@', at + 1) == std::string_view::npos &&
           text.front() != '-' && std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f' && std::string_view("<>()[]\\,;:\"").find(c) == std::string_view::npos; });
}

Smtp::Smtp(const base::ChannelSettings& given, const keys::Ring& ring, std::shared_ptr<const Texts> texts) : Gateway(given, ring, std::move(texts)) {
    if (!settings().url.starts_with("smtp://") && !settings().url.starts_with("smtps://")) refuse("url", "is no smtp:// or smtps:// address");
    if (settings().url.find_first_of("@ \r\n") != std::string::npos) refuse("url", "has the server's name and port only");
    if (!is_mail_address(settings().from)) refuse("from", "is no e-mail address");
    if (settings().user.empty() != settings().secret.empty()) refuse("user", "and secret go together");
    if (!settings().countries.empty()) refuse("countries", "cannot be used: it goes to addresses, not to numbers");
    domain_ = settings().from.substr(settings().from.find('@') + 1);
}

std::string Smtp::letter(const OutgoingMessage& message) const {
    const auto mail = texts().mail(message);
    std::string out;
    out.reserve(8192);  // so that no piece of it is left behind in memory that was given back
    fmt::format_to(std::back_inserter(out), "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}@{}>\r\n", base::http_date(message.now_ms), settings().from,
                   message.email.reveal(), is_ascii(mail.subject) ? mail.subject : encoded_words(mail.subject), message.id, domain_);
    // Nobody's vacation program is to answer.
    out += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    append_body(out, mail.body.reveal());
    return out;
}

SendResult Smtp::send(const OutgoingMessage& message, std::stop_token stop) {
    if (!is_mail_address(message.email.reveal())) return result(message, Sent::rejected, "", "bad_address");
    auto text = letter(message);
    Letter state{.rest = text, .stop = stop, .until_ns = base::monotonic_ns() + (settings().timeout_ms + grace_ms) * 1'000'000};
    Easy easy;
    Lines receivers;
    receivers.add(fmt::format("<{}>", message.email.reveal()));
    easy.set(CURLOPT_URL, settings().url + "/" + domain_);  // the path is what it calls itself in EHLO
    easy.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    easy.set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
    easy.set(CURLOPT_SSL_VERIFYPEER, 1L);
    easy.set(CURLOPT_SSL_VERIFYHOST, 2L);
    easy.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!settings().ca_file.empty()) easy.set(CURLOPT_CAINFO, settings().ca_file);
    easy.set(CURLOPT_FRESH_CONNECT, 1L);
    easy.set(CURLOPT_FORBID_REUSE, 1L);
    easy.set(CURLOPT_NOSIGNAL, 1L);
    easy.set(CURLOPT_PROXY, "");
    easy.set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(http_options().connect_ms));
    easy.set(CURLOPT_TIMEOUT_MS, static_cast<long>(settings().timeout_ms));
    if (!settings().user.empty()) {
        easy.set(CURLOPT_USERNAME, settings().user);
        easy.set(CURLOPT_PASSWORD, std::string(settings().secret.reveal()));
    }
    easy.set(CURLOPT_MAIL_FROM, "<" + settings().from + ">");
    easy.set(CURLOPT_MAIL_RCPT, receivers.get());
    easy.set(CURLOPT_UPLOAD, 1L);
    easy.set(CURLOPT_READFUNCTION, read_letter);
    easy.set(CURLOPT_READDATA, static_cast<void*>(&state));
    easy.set(CURLOPT_WRITEFUNCTION, drop);
    easy.set(CURLOPT_PREREQFUNCTION, about_to_send);
    easy.set(CURLOPT_PREREQDATA, static_cast<void*>(&state));
    easy.set(CURLOPT_NOPROGRESS, 0L);
    easy.set(CURLOPT_XFERINFOFUNCTION, progress);
    easy.set(CURLOPT_XFERINFODATA, static_cast<void*>(&state));
    const auto code = easy.perform();
    base::wipe(text);
    auto verdict = judged(code, easy.status(), state);
    return result(message, verdict.outcome, verdict.outcome == Sent::accepted ? message.id : "", verdict.code);
}

}  // namespace openrd::delivery
