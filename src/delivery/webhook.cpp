#include "delivery/webhook.hpp"

#include "base/time_text.hpp"
#include "delivery/webhook_signature.hpp"
#include "wire/json_writer.hpp"

#include <fmt/format.h>

namespace openrd::delivery {
namespace {

HttpOptions outside_only(HttpOptions options, bool loopback) {
    options.public_only = true;
    options.loopback_too = loopback;
    return options;
}

}  // namespace

Webhook::Webhook(const base::ChannelSettings& given, const keys::Ring& ring, std::shared_ptr<const Texts> texts)
    : Gateway(given, ring, std::move(texts)), http_(outside_only(http_options(), given.loopback)) {
    want("url", !settings().url.empty());
    want("secret", !settings().secret.empty());
    if (!settings().url.starts_with("https://") && !settings().loopback) refuse("url", "is no https:// address");
    if (!settings().proxy.empty()) refuse("proxy", "cannot be used: the address behind it could not be checked");
    std::vector<base::Secret> secrets{settings().secret};
    secrets.insert(secrets.end(), settings().more_secrets.begin(), settings().more_secrets.end());
    for (const auto& secret : secrets) {
        auto key = webhook_key(secret);
        if (!key) refuse("secret", "is whsec_ and base64 of 24 to 64 bytes");
        keys_.push_back(std::move(*key));
    }
}

SendResult Webhook::send(const OutgoingMessage& message, std::stop_token stop) {
    const auto text = texts().write(message);
    std::string body;
    body.reserve(4096);  // so that no piece of it is left behind in memory that was given back
    wire::JsonWriter json(body);
    json.begin_answer("");
    json.text("type", "sms.send");
    json.text("timestamp", base::utc_milliseconds(message.now_ms));
    json.begin_object("data");
    json.text("id", message.id);
    json.text("to", message.to.reveal_e164());
    json.text("text", text.text.reveal());
    json.text("code", message.code.reveal());
    json.text("language", message.language.empty() ? texts().language_of(message.to) : std::string_view(message.language));
    json.text("template", message.template_id);
    json.text("account_id", message.account_id);
    json.text("expires_at", base::utc_milliseconds(message.expires_at_ms));
    if (const auto url = receipt_url(message.id); !url.empty()) json.text("receipt_url", url);
    json.end_object("data");
    json.end_answer("");

    const auto timestamp_s = base::real_now_ms() / base::second_ms;  // receivers allow five minutes
    HttpRequest request{.url = settings().url};
    const auto header = [&](std::string name, std::string value) { request.headers.emplace_back(std::move(name), base::Secret(std::move(value))); };
    header("content-type", "application/json");
    header("webhook-id", message.id);
    header("webhook-timestamp", std::to_string(timestamp_s));
    header("webhook-signature", webhook_signature(keys_, message.id, timestamp_s, body));
    request.body = base::Secret(std::move(body));

    const auto reply = http_.exchange(request, stop);
    if (reply.evidence == Evidence::answered && (reply.status == 502 || reply.status == 504)) {
        auto throttled = result(message, Sent::throttled, "", fmt::format("http_{}", reply.status));
        throttled.retry_after_ms = reply.retry_after_ms;
        return throttled;
    }
    if (auto known = classified(reply)) return *known;
    if (reply.status < 300) {
        auto sent = result(message, Sent::accepted, "", fmt::format("http_{}", reply.status));
        sent.segments = text.segments;
        return sent;
    }
    // 410: the receiver wants no more of it.
    const bool ours = reply.status == 401 || reply.status == 403 || reply.status == 404 || reply.status == 405 || reply.status == 410;
    return result(message, ours ? Sent::channel_down : Sent::rejected, "", fmt::format("http_{}", reply.status));
}

std::optional<Receipt> Webhook::parse_receipt(const ReceiptRequest& request) const {
    if (request.method != "POST" && request.method != "GET") return {};
    auto id = message_of_receipt(ring(), name(), request.target);
    if (!id) return {};
    const auto status = query_value(request.target, "status");
    Receipt receipt{.message_id = std::move(*id), .provider_ref = {}, .provider_code = harmless(query_value(request.target, "code"), {}, {})};
    if (status == "delivered") receipt.fate = Fate::delivered;
    else if (status == "undelivered") receipt.fate = Fate::undelivered;
    else if (status == "rejected") receipt.fate = Fate::rejected;
    else if (status == "on_its_way") receipt.fate = Fate::on_its_way;
    else return {};
    return receipt;
}

}  // namespace openrd::delivery
