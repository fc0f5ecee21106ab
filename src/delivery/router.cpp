#include "delivery/router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace openrd::delivery {

Router::Router(std::vector<Channel*> channels, std::vector<Route> routes) : channels_(std::move(channels)), routes_(std::move(routes)) {
    std::set<std::string, std::less<>> names, codes;
    for (const auto* channel : channels_)
        if (!names.emplace(channel->name()).second) throw std::invalid_argument(fmt::format("two channels have the name {}", channel->name()));
    for (const auto& route : routes_) {
        if (route.calling_codes.empty()) throw std::invalid_argument("a route is for at least one calling code");
        if (route.channels.empty()) throw std::invalid_argument(fmt::format("the route for {} names no channel", route.calling_codes.front()));
        for (const auto& code : route.calling_codes) {
            if (!codes.insert(code).second) throw std::invalid_argument(fmt::format("two routes are for the calling code {}", code));
            const auto example = phone::MobileNumber::parse(code + "-10000000");
            if (!example) throw std::invalid_argument(fmt::format("{} is no calling code", code));
            for (const auto& name : route.channels) {
                const auto* channel = find(name);
                if (!channel) throw std::invalid_argument(fmt::format("the route for {} names the channel {}, which is not there", code, name));
                if (!channel->covers(*example)) throw std::invalid_argument(fmt::format("the channel {} does not reach {}", name, code));
            }
        }
    }
}

std::vector<Channel*> Router::channels_for(const phone::MobileNumber& to) const {
    std::vector<Channel*> found;
    if (to.empty()) return found;
    for (const auto& route : routes_) {
        if (std::ranges::find(route.calling_codes, to.calling_code()) == route.calling_codes.end()) continue;
        for (const auto& name : route.channels) found.push_back(find(name));
        return found;
    }
    std::ranges::copy_if(channels_, std::back_inserter(found), [&](const Channel* channel) { return channel->covers(to); });
    return found;
}

std::vector<Channel*> Router::channels_for_email() const {
    std::vector<Channel*> found;
    std::ranges::copy_if(channels_, std::back_inserter(found), [](const Channel* channel) { return channel->covers_email(); });
    return found;
}

Channel* Router::find(std::string_view name) const {
    const auto channel = std::ranges::find(channels_, name, [](const Channel* c) { return c->name(); });
    return channel == channels_.end() ? nullptr : *channel;
}

}  // namespace openrd::delivery
