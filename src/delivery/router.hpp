#pragma once
// Which channels a message may take, in order: by the number's calling code, with what else reaches it behind.
#include "delivery/channel.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::delivery {

class Router {
  public:
    // For these calling codes these channels, by name, in this order, and no others.
    struct Route {
        std::vector<std::string> calling_codes, channels;
    };

    // The channels outlive it; in order of preference where no route says otherwise. std::invalid_argument: two channels of one
    // name, two routes for one calling code, a route that names a channel that is not there, no channel, or one that does not
    // cover its calling code.
    Router(std::vector<Channel*> channels, std::vector<Route> routes);
    // NOLINTNEXTLINE(google-explicit-constructor): a list of channels is a router
    Router(std::vector<Channel*> channels) : Router(std::move(channels), {}) {}
    Router(std::initializer_list<Channel*> channels) : Router(std::vector<Channel*>(channels), {}) {}

    // Those that reach it, the preferred one first. None: it is not reached.
    std::vector<Channel*> channels_for(const phone::MobileNumber& to) const;
    // Those that write e-mail.
    std::vector<Channel*> channels_for_email() const;
    // nullptr: not (or no longer) there.
    Channel* find(std::string_view name) const;
    const std::vector<Channel*>& all() const { return channels_; }

  private:
    std::vector<Channel*> channels_;
    std::vector<Route> routes_;
};

}  // namespace openrd::delivery
