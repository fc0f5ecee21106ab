#include "delivery/kannel.hpp"

#include <algorithm>

namespace openrd::delivery {
namespace {

// Where the SMSC accepted, delivered, gave up or refused a message, and where it waits: all of them.
constexpr std::string_view all_receipts = "31";

}  // namespace

Kannel::Kannel(const base::ChannelSettings& given, const keys::Ring& ring, std::shared_ptr<const Texts> texts) : Gateway(given, ring, std::move(texts)), http_(http_options()) {
    want("url", !settings().url.empty());
    want("user", !settings().user.empty());
    want("secret", !settings().secret.empty());
}

SendResult Kannel::send(const OutgoingMessage& message, std::stop_token stop) {
    auto text = texts().write(message);
    HttpRequest request{.url = settings().url};
    const auto header = [&](std::string name, std::string_view value) { request.headers.emplace_back(std::move(name), base::Secret(std::string(value))); };
    header("X-Kannel-Username", settings().user);
    header("X-Kannel-Password", settings().secret.reveal());
    header("X-Kannel-To", message.to.reveal_e164());
    if (!settings().from.empty()) header("X-Kannel-From", settings().from);
    if (!settings().smsc.empty()) header("X-Kannel-SMSC", settings().smsc);
    if (!text.gsm) header("X-Kannel-Coding", "2");
    header("X-Kannel-Validity", std::to_string(std::max<std::int64_t>(1, message.valid_for_ms / base::minute_ms)));
    if (const auto url = receipt_url(message.id); !url.empty()) {
        header("X-Kannel-DLR-Url", url + "?d=%d&id=%F");
        header("X-Kannel-DLR-Mask", all_receipts);
    }
    header("Content-Type", "text/plain; charset=UTF-8");
    request.body = std::move(text.text);

    const auto reply = http_.exchange(request, stop);
    // smsbox and bearerbox are up, the carrier is not, or its window is full: with sms-outgoing-queue-limit = 0 nothing was kept.
    if (reply.evidence == Evidence::answered && reply.status == 503) return result(message, Sent::throttled, "", "http_503");
    if (auto known = classified(reply)) return *known;
    if (reply.status == 202) {
        auto accepted = result(message, Sent::accepted, "", reply.body.substr(0, reply.body.find(':')));
        accepted.segments = text.segments;
        return accepted;
    }
    if (reply.status < 300) return result(message, Sent::unknown, "", "not_kannel");
    const bool ours = reply.status == 401 || reply.status == 403 || reply.status == 404 || reply.status == 405;
    return result(message, ours ? Sent::channel_down : Sent::rejected, "", "http_" + std::to_string(reply.status));
}

std::optional<Receipt> Kannel::parse_receipt(const ReceiptRequest& request) const {
    if (request.method != "GET") return {};
    auto id = message_of_receipt(ring(), name(), request.target);
    if (!id) return {};
    const auto kind = query_value(request.target, "d");
    Receipt receipt{.message_id = std::move(*id), .provider_ref = harmless(query_value(request.target, "id"), {}, {}), .provider_code = "dlr_" + harmless(kind, {}, {})};
    if (kind == "1") receipt.fate = Fate::delivered;
    else if (kind == "2") receipt.fate = Fate::undelivered;
    else if (kind == "16") receipt.fate = Fate::rejected;
    else if (kind == "4" || kind == "8") receipt.fate = Fate::on_its_way;
    else return {};
    return receipt;
}

}  // namespace openrd::delivery
