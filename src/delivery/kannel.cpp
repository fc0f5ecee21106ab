#include "delivery/kannel.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace openrd::delivery {
namespace {

// Where the SMSC accepted, delivered, gave up or refused a message, and where it waits: all of them.
constexpr std::string_view all_receipts = "31";
// The bits of a receipt's kind; an expired message has two of them.
constexpr unsigned delivered_bit = 1, undelivered_bit = 2, on_its_way_bits = 4 | 8, rejected_bit = 16;

// With sms-outgoing-queue-limit = 0 smsbox answers 503 whenever one message waits for the carrier's window: so it says "in a moment" to
// whoever sends several. Between two tries, and in all.
constexpr auto shortest_wait = std::chrono::milliseconds(10), longest_wait = std::chrono::milliseconds(100), patience = std::chrono::milliseconds(2'000);

// False: it is stopping.
bool wait_a_moment(std::chrono::milliseconds time, const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, time, [] { return false; });
    return !stop.stop_requested();
}

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

    const auto full = [](const HttpReply& reply) { return reply.evidence == Evidence::answered && reply.status == 503; };
    const auto give_up = std::chrono::steady_clock::now() + patience;
    auto reply = http_.exchange(request, stop);
    for (auto wait = shortest_wait; full(reply) && std::chrono::steady_clock::now() < give_up && wait_a_moment(wait, stop); wait = std::min(2 * wait, longest_wait))
        reply = http_.exchange(request, stop);
    // Still: smsbox and bearerbox are up, the carrier is not, or its window stays full. Nothing was kept.
    if (full(reply)) return result(message, Sent::throttled, "", "http_503");
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
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(kind.data(), kind.data() + kind.size(), bits);
    if (error != std::errc() || end != kind.data() + kind.size()) return {};
    if ((bits & delivered_bit) != 0) receipt.fate = Fate::delivered;
    else if ((bits & undelivered_bit) != 0) receipt.fate = Fate::undelivered;
    else if ((bits & rejected_bit) != 0) receipt.fate = Fate::rejected;
    else if ((bits & on_its_way_bits) != 0) receipt.fate = Fate::on_its_way;
    else return {};
    return receipt;
}

}  // namespace openrd::delivery
