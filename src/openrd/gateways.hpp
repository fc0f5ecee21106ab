#pragma once
// What carries the messages of this server: the inbox of a sandbox, or the channels of the configuration, each behind the risk probe when
// there is one.
#include "base/clock.hpp"
#include "base/delivery_settings.hpp"
#include "db/engine.hpp"
#include "delivery/channels.hpp"
#include "delivery/risk_probe.hpp"
#include "keys/ring.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace openrd {

struct ConfigDocument;
// The table `delivery` of the file; nothing configured without a file. Throws Failure.
base::DeliverySettings delivery_settings(const ConfigDocument* document);
// Whether a code can reach a phone with them.
bool reaches_phones(const base::DeliverySettings& settings);

class Gateways {
  public:
    // All of it outlives the gateways. `inbox`: of a sandbox, instead of the settings. Throws Failure for settings that make no channel.
    struct Parts {
        db::Engine& engine;
        const keys::Ring& ring;
        const base::Clock& clock;
        delivery::Channel* inbox = nullptr;
        const base::DeliverySettings& settings;
    };
    explicit Gateways(const Parts& parts);

    const delivery::Router& router() const { return *router_; }

  private:
    void put_behind_probe(const Parts& parts, std::vector<delivery::Channel*>& channels);

    std::optional<delivery::Channels> channels_;
    std::optional<delivery::WebhookRiskProbe> probe_;
    std::vector<std::unique_ptr<delivery::ProbedChannel>> probed_;
    std::optional<delivery::Router> router_;
};

}  // namespace openrd
