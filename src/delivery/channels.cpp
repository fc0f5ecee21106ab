#include "delivery/channels.hpp"

#include "delivery/alibaba.hpp"
#include "delivery/kannel.hpp"
#include "delivery/smtp.hpp"
#include "delivery/twilio.hpp"
#include "delivery/webhook.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace openrd::delivery {
namespace {

std::vector<std::unique_ptr<Channel>> made(const base::DeliverySettings& settings, const keys::Ring& ring) {
    const auto texts = std::make_shared<const Texts>(settings.texts);
    std::vector<std::unique_ptr<Channel>> channels;
    for (const auto& channel : settings.channels) channels.push_back(make_channel(channel, ring, texts));
    return channels;
}

std::vector<Channel*> pointers(const std::vector<std::unique_ptr<Channel>>& channels) {
    std::vector<Channel*> list;
    for (const auto& channel : channels) list.push_back(channel.get());
    return list;
}

std::vector<Router::Route> routes(const base::DeliverySettings& settings) {
    std::vector<Router::Route> list;
    for (const auto& route : settings.routes) list.push_back({.calling_codes = route.countries, .channels = route.channels});
    return list;
}

}  // namespace

std::unique_ptr<Channel> make_channel(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts) {
    if (settings.kind == "kannel") return std::make_unique<Kannel>(settings, ring, std::move(texts));
    if (settings.kind == "alibaba") return std::make_unique<Alibaba>(settings, ring, std::move(texts));
    if (settings.kind == "twilio") return std::make_unique<Twilio>(settings, ring, std::move(texts));
    if (settings.kind == "webhook") return std::make_unique<Webhook>(settings, ring, std::move(texts));
    if (settings.kind == "smtp") return std::make_unique<Smtp>(settings, ring, std::move(texts));
    throw std::invalid_argument(fmt::format("the channel {}: kind is kannel, alibaba, twilio, webhook or smtp", settings.name));
}

Channels::Channels(const base::DeliverySettings& settings, const keys::Ring& ring) : channels(made(settings, ring)), router(pointers(channels), routes(settings)) {}

}  // namespace openrd::delivery
