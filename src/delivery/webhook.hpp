#pragma once
// An address of the operator's own, called by Standard Webhooks 1.0.0 (verification.md 7.4): the way out where the other kinds end,
// and the only one whose receiver sees a repetition (by webhook-id) and shows it once. Hosts of the Internet only, by https.
// Settings: url, secret ("whsec_" and base64 of 24 to 64 bytes); more_secrets, receipts_url, ca_file.
#include "delivery/gateway.hpp"

#include <vector>

namespace openrd::delivery {

class Webhook : public Gateway {
  public:
    Webhook(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts);
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override;
    bool repeatable() const override { return true; }
    // A POST or GET of receipt_url with ?status=delivered, undelivered, rejected or on_its_way.
    std::optional<Receipt> parse_receipt(const ReceiptRequest& request) const override;

  private:
    HttpClient http_;
    std::vector<base::Secret> keys_;
};

}  // namespace openrd::delivery
