#pragma once
// The channels of a configuration.
#include "base/delivery_settings.hpp"
#include "delivery/channel.hpp"
#include "delivery/router.hpp"
#include "delivery/texts.hpp"
#include "keys/ring.hpp"

#include <memory>
#include <vector>

namespace openrd::delivery {

// kinds: kannel, alibaba, twilio, webhook, smtp. Each header says which settings it uses. std::invalid_argument, with the channel's
// name and the setting; std::runtime_error: libcurl is not installed. The ring outlives it.
std::unique_ptr<Channel> make_channel(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts);

// All of a configuration, and the way to them. Moving it does not move the channels.
struct Channels {
    Channels(const base::DeliverySettings& settings, const keys::Ring& ring);
    std::vector<std::unique_ptr<Channel>> channels;
    Router router;
};

}  // namespace openrd::delivery
