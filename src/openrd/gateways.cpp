#include "openrd/gateways.hpp"

#include "openrd/config_document.hpp"
#include "openrd/delivery_config.hpp"
#include "openrd/risk_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace openrd {

base::DeliverySettings delivery_settings(const ConfigDocument* document) {
    const auto* table = document ? document->root.get_as<toml::table>("delivery") : nullptr;
    return table ? read_delivery(*table, document->path) : base::DeliverySettings();
}

bool reaches_phones(const base::DeliverySettings& settings) {
    return std::ranges::any_of(settings.channels, [](const base::ChannelSettings& channel) { return channel.kind != "smtp"; });
}

Gateways::Gateways(const Parts& parts) {
    std::vector<delivery::Channel*> channels;
    std::vector<delivery::Router::Route> routes;
    try {
        if (parts.inbox) {
            channels.push_back(parts.inbox);
        } else {
            channels_.emplace(parts.settings, parts.ring);
            for (const auto& channel : channels_->channels) channels.push_back(channel.get());
            for (const auto& route : parts.settings.routes) routes.push_back({.calling_codes = route.countries, .channels = route.channels});
        }
        if (!parts.settings.risk.url.empty()) put_behind_probe(parts, channels);
        router_.emplace(std::move(channels), std::move(routes));
    } catch (const std::invalid_argument& error) { throw Failure(fmt::format("delivery: {}", error.what())); }
}

void Gateways::put_behind_probe(const Parts& parts, std::vector<delivery::Channel*>& channels) {
    probe_.emplace(parts.settings.risk);
    const auto refused = [&engine = parts.engine, &ring = parts.ring, &clock = parts.clock](const delivery::OutgoingMessage& message, const std::string& reason) {
        record_risk_refusal(engine, ring, message, reason, clock.now_ms());
    };
    for (delivery::Channel*& channel : channels)
        channel = probed_.emplace_back(std::make_unique<delivery::ProbedChannel>(*channel, *probe_, parts.settings.risk.fail_open, refused)).get();
}

}  // namespace openrd
