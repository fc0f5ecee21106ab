#pragma once
// Kannel's smsbox (verification.md 7.3): the road to a carrier that speaks SMPP. Password, number and text stand in headers and the
// body, never in an address that is logged. Settings: url, user, secret; from, smsc, receipts_url.
#include "delivery/gateway.hpp"

namespace openrd::delivery {

class Kannel : public Gateway {
  public:
    Kannel(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts);
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override;
    std::optional<Receipt> parse_receipt(const ReceiptRequest& request) const override;

  private:
    HttpClient http_;
};

}  // namespace openrd::delivery
