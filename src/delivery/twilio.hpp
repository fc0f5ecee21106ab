#pragma once
// Twilio's Messages API (verification.md 7.4). It knows no repeated id: an unknown outcome is looked for among the messages to that
// number. Settings: user (the account's SID), secret (its auth token), from or service; receipts_url, url.
#include "delivery/gateway.hpp"

#include <deque>
#include <mutex>

namespace openrd::delivery {

class Twilio : public Gateway {
  public:
    Twilio(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts);
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override;
    // Accepted when exactly one message to that number is there since then that was not answered for another of ours.
    std::optional<SendResult> reconcile(std::string_view message_id, const phone::MobileNumber& to, std::int64_t since_ms) override;
    std::optional<Receipt> parse_receipt(const ReceiptRequest& request) const override;

  private:
    void remember(std::string ref);
    bool is_known(std::string_view ref) const;

    HttpClient http_;
    std::string messages_url_;
    mutable std::mutex mutex_;
    std::deque<std::string> known_;  // the last ones that were answered, of any message
};

// What X-Twilio-Signature holds for a form that was posted to `url`: base64 of HMAC-SHA1 of the address and the sorted fields.
std::string twilio_signature(const base::Secret& token, std::string_view url, std::string_view form);

}  // namespace openrd::delivery
