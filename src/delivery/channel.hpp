#pragma once
// The seam between the outbox and whatever carries a message to a phone (verification.md 7.2).
#include "base/secret.hpp"
#include "phone/mobile_number.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::delivery {

struct OutgoingMessage {
    std::string id;          // by which a gateway knows it, the same in every repetition: account id and message id (attempt.hpp)
    phone::MobileNumber to;  // empty: it goes to `email`
    std::string account_id, purpose, template_id;
    std::string language = {};  // "en", "zh"; empty: that of the number's country (texts.hpp)
    base::Secret code;
    std::int64_t valid_for_ms = 0, now_ms = 0, expires_at_ms = 0;  // of the code
    base::Secret email = {};                                       // an address, personal as a number is
};

enum class Sent : std::uint8_t {
    accepted,      // the channel has taken it over
    rejected,      // it will never take this message
    not_sent,      // certainly not sent: may be tried again
    throttled,     // certainly not sent: may be tried again, later
    unknown,       // it went out and nobody answered: may have been sent
    channel_down,  // certainly not sent, and neither will be any other: credentials, configuration, no credit
};

struct SendResult {
    Sent outcome = Sent::unknown;
    std::string provider_ref, provider_code;  // never a number or a code of ours
    std::optional<std::int64_t> retry_after_ms = {};
    int segments = 1;
    bool opted_out = false;  // rejected, since the phone's owner has told the gateway STOP
};

// What a gateway says about a message after it has taken it over. Advisory: it never extends, validates or cancels a code.
enum class Fate : std::uint8_t { on_its_way, delivered, undelivered, rejected };

struct Receipt {
    std::string message_id;  // OutgoingMessage::id
    Fate fate = Fate::on_its_way;
    std::string provider_ref, provider_code;  // never a number or a code of ours
};

// A request to the receipts' endpoint, as it came. Names of headers in lower case.
struct ReceiptRequest {
    std::string_view method, target;  // target: path and query
    std::span<const std::pair<std::string, std::string>> headers;
    std::string_view body;
};

// One per configured channel, called from the dispatcher's threads; parse_receipt from any.
class Channel {
  public:
    virtual ~Channel() = default;
    // As it stands in the outbox and in the log.
    virtual std::string_view name() const = 0;
    // Whether it reaches that number at all: routing by calling code.
    virtual bool covers(const phone::MobileNumber& to) const = 0;
    // Whether it takes messages without a number, to an e-mail address.
    virtual bool covers_email() const { return false; }
    // One try, without repetition inside: whether to repeat is decided by the outcome. `stop`: the server goes down.
    virtual SendResult send(const OutgoingMessage& message, std::stop_token stop) = 0;
    // What became of a message whose outcome is unknown; nothing unless it is certain.
    virtual std::optional<SendResult> reconcile(std::string_view /*message_id*/, const phone::MobileNumber& /*to*/, std::int64_t /*since_ms*/) { return {}; }
    // Whether sending an id twice shows it once only: then an unknown outcome is simply tried again.
    virtual bool repeatable() const { return false; }
    // Nothing unless the request is authentic and about a message of this channel. The path is receipt_path() of receipts.hpp.
    virtual std::optional<Receipt> parse_receipt(const ReceiptRequest& /*request*/) const { return {}; }
    // The same of a gateway that tells of several messages in one request.
    virtual std::vector<Receipt> parse_receipts(const ReceiptRequest& request) const {
        std::vector<Receipt> receipts;
        if (auto receipt = parse_receipt(request)) receipts.push_back(*std::move(receipt));
        return receipts;
    }
};

}  // namespace openrd::delivery
