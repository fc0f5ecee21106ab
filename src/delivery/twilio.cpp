#include "delivery/twilio.hpp"

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "delivery/libcurl.hpp"
#include "wire/digest.hpp"
#include "wire/percent.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace openrd::delivery {
namespace {

constexpr std::string_view twilio_url = "https://api.twilio.com";
constexpr std::size_t remembered = 1000;
constexpr std::int64_t clocks_apart_ms = 5 * base::second_ms;

// Of the account, not of the message.
constexpr std::string_view configuration_codes[] = {"20003", "20005", "20006", "20008", "20404", "21212", "21601", "21602", "21603", "21606",
                                                    "21609", "21659", "21660", "21701", "21702", "21703", "30002", "30007", "63038"};

std::string hmac_sha1(std::string_view key, std::string_view text) {
    constexpr std::size_t block = 64;
    const auto hashed = wire::sha1(key);
    if (key.size() > block) key = wire::view_of(hashed);
    std::array<unsigned char, block> inner{}, outer{};
    for (std::size_t i = 0; i < block; ++i) {
        const auto byte = static_cast<unsigned char>(i < key.size() ? key[i] : 0);
        inner[i] = byte ^ 0x36;
        outer[i] = byte ^ 0x5c;
    }
    const auto first = wire::sha1(wire::view_of(inner), text);
    return std::string(wire::view_of(wire::sha1(wire::view_of(outer), wire::view_of(first))));
}

std::string_view header_of(const ReceiptRequest& request, std::string_view name) {
    const auto found = std::ranges::find(request.headers, name, [](const auto& header) { return std::string_view(header.first); });
    return found == request.headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

std::string twilio_signature(const base::Secret& token, std::string_view url, std::string_view form) {
    std::vector<std::pair<std::string, std::string>> fields;
    while (!form.empty()) {
        const auto pair = form.substr(0, form.find('&'));
        form.remove_prefix(std::min(form.size(), pair.size() + 1));
        const auto equals = std::min(pair.find('='), pair.size());
        fields.emplace_back(wire::form_decode(pair.substr(0, equals)), wire::form_decode(pair.substr(std::min(equals + 1, pair.size()))));
    }
    std::ranges::sort(fields);
    std::string text(url);
    for (const auto& [name, value] : fields) text += name + value;
    return base::base64(hmac_sha1(token.reveal(), text));
}

Twilio::Twilio(const base::ChannelSettings& given, const keys::Ring& ring, std::shared_ptr<const Texts> texts) : Gateway(given, ring, std::move(texts)), http_(http_options()) {
    want("user", !settings().user.empty());
    want("secret", !settings().secret.empty());
    if (settings().from.empty() == settings().service.empty()) refuse("from", "or service: one of them is needed");
    messages_url_ = settings().url.empty() ? twilio_url : settings().url;
    while (messages_url_.ends_with('/')) messages_url_.pop_back();
    messages_url_ += "/2010-04-01/Accounts/";
    wire::append_percent_encoded(messages_url_, settings().user);
    messages_url_ += "/Messages.json";
}

SendResult Twilio::send(const OutgoingMessage& message, std::stop_token stop) {
    const auto text = texts().write(message);
    std::string form;
    form.reserve(4096);  // so that no piece of it is left behind in memory that was given back
    append_field(form, "To", message.to.reveal_e164());
    if (settings().service.empty()) append_field(form, "From", settings().from);
    else append_field(form, "MessagingServiceSid", settings().service);
    append_field(form, "Body", text.text.reveal());
    append_field(form, "ValidityPeriod", std::to_string(std::clamp<std::int64_t>(message.valid_for_ms / base::second_ms, 1, 14'400)));
    if (const auto url = receipt_url(message.id); !url.empty()) append_field(form, "StatusCallback", url);
    HttpRequest request{.url = messages_url_, .body = base::Secret(std::move(form))};
    request.headers.emplace_back("Authorization", base::Secret(basic_authorization(settings().user, settings().secret)));
    request.headers.emplace_back("Content-Type", base::Secret("application/x-www-form-urlencoded"));

    const auto reply = http_.exchange(request, stop);
    if (auto known = classified(reply)) return *known;
    const JsonAnswer answer(reply.body);
    if (reply.status == 201) {
        const auto status = answer.text("status");
        auto ref = answer.text("sid");
        if (ref.empty()) return result(message, Sent::unknown, "", "no_sid");
        remember(ref);
        auto sent = result(message, status == "failed" || status == "undelivered" ? Sent::rejected : Sent::accepted, ref, status);
        sent.segments = text.segments;
        return sent;
    }
    if (reply.status < 300) return result(message, Sent::unknown, "", "not_twilio");
    const auto code = answer.text("code");
    const bool ours = reply.status == 401 || reply.status == 403 || reply.status == 404 || std::ranges::find(configuration_codes, code) != std::end(configuration_codes);
    // 21611, 14107: too many wait already.
    const auto outcome = code == "21611" || code == "14107" || code == "20429" ? Sent::throttled : ours ? Sent::channel_down : Sent::rejected;
    auto refused = result(message, outcome, "", code.empty() ? "http_" + std::to_string(reply.status) : code);
    refused.opted_out = code == "21610";
    return refused;
}

void Twilio::remember(std::string ref) {
    const std::lock_guard lock(mutex_);
    known_.push_back(std::move(ref));
    if (known_.size() > remembered) known_.pop_front();
}

bool Twilio::is_known(std::string_view ref) const {
    const std::lock_guard lock(mutex_);
    return std::ranges::find(known_, ref) != known_.end();
}

std::optional<SendResult> Twilio::reconcile(std::string_view, const phone::MobileNumber& to, std::int64_t since_ms) {
    std::string query;
    append_field(query, "To", to.reveal_e164());
    append_field(query, "DateSent>", base::utc_seconds(since_ms).substr(0, 10));  // "DateSent>=": on that day or later
    append_field(query, "PageSize", "50");
    HttpRequest request{.method = "GET", .url = messages_url_ + "?" + query};
    request.headers.emplace_back("Authorization", base::Secret(basic_authorization(settings().user, settings().secret)));
    const auto reply = http_.exchange(request);
    base::wipe(request.url);
    base::wipe(query);
    if (reply.evidence != Evidence::answered || reply.status != 200) return {};
    const JsonAnswer answer(reply.body);
    std::optional<SendResult> found;
    for (int i = 1; i <= 50; ++i) {
        const auto prefix = "messages." + std::to_string(i) + ".";
        const auto sid = answer.text(prefix + "sid");
        if (sid.empty()) break;
        const auto created = libcurl().getdate(answer.text(prefix + "date_created").c_str(), nullptr);
        if (created < 0 || created * base::second_ms < since_ms - clocks_apart_ms || is_known(sid)) continue;
        if (found) return {};  // which of them it is nobody can tell
        const auto status = answer.text(prefix + "status");
        found = SendResult{.outcome = status == "failed" || status == "undelivered" ? Sent::rejected : Sent::accepted,
                           .provider_ref = harmless(sid, to, {}),
                           .provider_code = harmless(status, to, {})};
    }
    if (found) remember(found->provider_ref);
    return found;
}

std::optional<Receipt> Twilio::parse_receipt(const ReceiptRequest& request) const {
    if (request.method != "POST") return {};
    auto id = message_of_receipt(ring(), name(), request.target);
    if (!id) return {};
    const auto expected = twilio_signature(settings().secret, settings().receipts_url + std::string(request.target), request.body);
    if (!base::constant_time_equal(expected, header_of(request, "x-twilio-signature"))) return {};
    const auto status = form_value(request.body, "MessageStatus");
    const auto code = form_value(request.body, "ErrorCode");
    Receipt receipt{
        .message_id = std::move(*id), .provider_ref = harmless(form_value(request.body, "MessageSid"), {}, {}), .provider_code = harmless(code.empty() ? status : code, {}, {})};
    if (status == "delivered" || status == "read") receipt.fate = Fate::delivered;
    else if (status == "undelivered") receipt.fate = Fate::undelivered;
    else if (status == "failed" || status == "canceled") receipt.fate = Fate::rejected;
    else if (status == "accepted" || status == "scheduled" || status == "queued" || status == "sending" || status == "sent") receipt.fate = Fate::on_its_way;
    else return {};
    return receipt;
}

}  // namespace openrd::delivery
