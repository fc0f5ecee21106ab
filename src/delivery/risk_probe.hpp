#pragma once
// Whether a phone may be sent a code just now, by what its network knows: a SIM that was swapped yesterday, a number that was ported
// (verification.md 8, threat 18). Asked where the message leaves, never in a transaction: docs/decisions/0028.
#include "base/clock.hpp"
#include "base/delivery_settings.hpp"
#include "base/secret.hpp"
#include "delivery/channel.hpp"
#include "delivery/http_client.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

namespace openrd::delivery {

enum class Risk : std::uint8_t {
    none,
    refused,  // nothing is to be sent to it
    unknown,  // nobody answered
};

struct RiskAnswer {
    Risk risk = Risk::unknown;
    std::string reason;  // a word for the outbox and the log: "sim_swap", "port", or the probe's own
};

class RiskProbe {
  public:
    virtual ~RiskProbe() = default;
    // May wait as long as its time limit says. Called from the dispatcher's threads.
    virtual RiskAnswer ask(const OutgoingMessage& message, const std::stop_token& stop) = 0;
};

using RiskSettings = base::RiskSettings;

// Asks a webhook (Standard Webhooks 1.0.0, type "risk.check"; data: id, to, account_id, purpose). What it may answer with 200, each
// member optional: {"decision":"refuse"|"allow","reason":"a word","sim_swap_hours":3,"port_hours":1000}. Its ages are compared with
// youngest_ms; `decision` decides where it is there.
class WebhookRiskProbe final : public RiskProbe {
  public:
    // std::invalid_argument for a URL or a secret that is none.
    explicit WebhookRiskProbe(RiskSettings settings);
    RiskAnswer ask(const OutgoingMessage& message, const std::stop_token& stop) override;

  private:
    RiskAnswer read(std::string_view body) const;
    const RiskSettings settings_;
    std::vector<base::Secret> keys_;
    HttpClient http_;
};

// A channel behind a probe: what the probe refuses is rejected for good, and `refused` is told (it cancels the code and writes it into
// the audit log; when it throws, the message is tried again later, so that nothing is refused without a record). Without an answer it
// is tried again later, until its code's time is up, unless it is to fail open. E-mail is not asked about.
class ProbedChannel final : public Channel {
  public:
    using Refused = std::function<void(const OutgoingMessage&, const std::string& reason)>;
    // All of them outlive it.
    ProbedChannel(Channel& channel, RiskProbe& probe, bool fail_open, Refused refused) : channel_(channel), probe_(probe), fail_open_(fail_open), refused_(std::move(refused)) {}

    std::string_view name() const override { return channel_.name(); }
    bool covers(const phone::MobileNumber& to) const override { return channel_.covers(to); }
    bool covers_email() const override { return channel_.covers_email(); }
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override;
    std::optional<SendResult> reconcile(std::string_view message_id, const phone::MobileNumber& to, std::int64_t since_ms) override {
        return channel_.reconcile(message_id, to, since_ms);
    }
    bool repeatable() const override { return channel_.repeatable(); }
    std::optional<Receipt> parse_receipt(const ReceiptRequest& request) const override { return channel_.parse_receipt(request); }

  private:
    Channel& channel_;
    RiskProbe& probe_;
    const bool fail_open_;
    const Refused refused_;
};

}  // namespace openrd::delivery
