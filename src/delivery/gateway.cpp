#include "delivery/gateway.hpp"

#include "base/text.hpp"
#include "delivery/libcurl.hpp"
#include "wire/json_flatten.hpp"
#include "wire/percent.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace openrd::delivery {
namespace {

constexpr std::size_t longest_word = 64;

bool is_url(std::string_view url) {
    return (url.starts_with("https://") || url.starts_with("http://")) && url.size() < 2000 && url.find_first_of(" \"#@\\") == std::string_view::npos &&
           std::ranges::all_of(url, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= 32 && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

}  // namespace

JsonAnswer::JsonAnswer(std::string_view json) {
    // The names and texts are the gateway's: as many as an answer of 64 KB can have.
    static constexpr base::ParameterLimits limits{.count = 5000, .list_index = 1000};
    read_ = wire::flatten_json(json, wire::JsonTop::object, "", limits, members_).has_value();
}

JsonAnswer::~JsonAnswer() {
    for (auto& [name, value] : members_) base::wipe(value);  // some gateways answer with the text
}

std::string JsonAnswer::text(std::string_view name) const {
    const auto found = std::ranges::find(members_, name, [](const auto& member) { return std::string_view(member.first); });
    return found == members_.end() ? std::string() : found->second;
}

std::string harmless(std::string_view text, const phone::MobileNumber& to, const base::Secret& code) {
    std::string word;
    for (const char c : text.substr(0, longest_word))
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || std::string_view("-_.:^").find(c) != std::string_view::npos) word += c;
    const auto has = [&](std::string_view secret) { return !secret.empty() && (word.find(secret) != std::string::npos || text.find(secret) != std::string_view::npos); };
    return has(to.reveal_national()) || has(code.reveal()) ? std::string() : word;
}

Gateway::Gateway(const base::ChannelSettings& given, const keys::Ring& ring, std::shared_ptr<const Texts> texts) : settings_(given), ring_(ring), texts_(std::move(texts)) {
    if (!is_name(settings_.name)) throw std::invalid_argument("a channel's name has 1 to 32 lower-case letters, digits, - and _");
    for (const auto& code : settings_.countries)
        if (!phone::MobileNumber::parse(code + "-10000000")) refuse("countries", fmt::format("{} is no calling code", code.substr(0, 20)));
    if (!settings_.receipts_url.empty() && (!is_url(settings_.receipts_url) || settings_.receipts_url.ends_with('/')))
        refuse("receipts_url", "is no https:// or http:// address without a path");
    for (const auto* const url : {&settings_.url, &settings_.china_url})
        if (!url->empty() && settings_.kind != "smtp" && !is_url(*url)) refuse("url", "is no https:// or http:// address");
    if (!settings_.proxy.empty() && settings_.url.starts_with("http://")) refuse("proxy", "is for https:// addresses only");
    if (settings_.timeout_ms < 100 || settings_.timeout_ms > 10 * base::second_ms) refuse("timeout", "is between 100ms and 10s");
    libcurl();  // so that a machine without it is told at the start
}

bool Gateway::covers(const phone::MobileNumber& to) const {
    return settings_.countries.empty() || std::ranges::find(settings_.countries, to.calling_code()) != settings_.countries.end();
}

HttpOptions Gateway::http_options() const {
    return {
        .connect_ms = std::min<std::int64_t>(3 * base::second_ms, settings_.timeout_ms), .total_ms = settings_.timeout_ms, .ca_file = settings_.ca_file, .proxy = settings_.proxy};
}

std::string Gateway::receipt_url(std::string_view message_id) const {
    return settings_.receipts_url.empty() ? std::string() : settings_.receipts_url + receipt_path(ring_, settings_.name, message_id);
}

void Gateway::refuse(std::string_view setting, std::string_view why) const { throw std::invalid_argument(fmt::format("the channel {}: {} {}", settings_.name, setting, why)); }

void Gateway::want(std::string_view setting, bool there) const {
    if (!there) refuse(setting, "is missing");
}

SendResult Gateway::result(const OutgoingMessage& message, Sent outcome, std::string_view ref, std::string_view code) const {
    return {.outcome = outcome, .provider_ref = harmless(ref, message.to, message.code), .provider_code = harmless(code, message.to, message.code)};
}

std::string basic_authorization(std::string_view user, const base::Secret& password) {
    auto both = fmt::format("{}:{}", user, password.reveal());
    auto encoded = "Basic " + base::base64(both);
    base::wipe(both);
    return encoded;
}

void append_field(std::string& form, std::string_view name, std::string_view value) {
    if (!form.empty()) form += '&';
    wire::append_percent_encoded(form, name);
    form += '=';
    wire::append_percent_encoded(form, value);
}

}  // namespace openrd::delivery
