#pragma once
// The gateways' receipts over HTTP, for a listener that they reach. Nothing else is answered here but 404.
#include "delivery/receipt_intake.hpp"
#include "pipeline/handler.hpp"

namespace openrd {

class ReceiptsPage final : public pipeline::Handler {
  public:
    // The intake outlives it.
    explicit ReceiptsPage(delivery::ReceiptIntake& intake) : intake_(intake) {}
    void handle(const pipeline::Request& request, pipeline::Done done) override;

  private:
    delivery::ReceiptIntake& intake_;
};

}  // namespace openrd
