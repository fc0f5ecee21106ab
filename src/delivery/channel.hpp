#pragma once
// The seam between the outbox and whatever carries a message to a phone (verification.md 7.2).
#include "base/secret.hpp"
#include "phone/mobile_number.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace openrd::delivery {

struct OutgoingMessage {
    std::string id;  // of the outbox: the same in every repetition
    phone::MobileNumber to;
    std::string account_id, purpose, template_id, language;
    base::Secret code;
    std::int64_t valid_for_ms = 0, now_ms = 0, expires_at_ms = 0;  // of the code
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
};

// One per configured channel, called from the dispatcher's thread.
class Channel {
  public:
    virtual ~Channel() = default;
    // As it stands in the outbox and in the log.
    virtual std::string_view name() const = 0;
    // Whether it reaches that number at all: routing by calling code.
    virtual bool covers(const phone::MobileNumber& to) const = 0;
    // One try, without repetition inside: whether to repeat is decided by the outcome. `stop`: the server goes down.
    virtual SendResult send(const OutgoingMessage& message, std::stop_token stop) = 0;
    // What became of a message whose outcome is unknown; nothing unless it is certain.
    virtual std::optional<SendResult> reconcile(std::string_view /*message_id*/, const phone::MobileNumber& /*to*/, std::int64_t /*since_ms*/) { return {}; }
    // Whether sending an id twice shows it once only: then an unknown outcome is simply tried again.
    virtual bool repeatable() const { return false; }
};

}  // namespace openrd::delivery
