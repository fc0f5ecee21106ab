#pragma once
// The table `delivery` of the configuration file: gateways, routes and texts (docs/operations/messages.md). A header by itself that
// names toml++, which is large.
#include "base/delivery_settings.hpp"
#include "openrd/failure.hpp"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <string>

namespace openrd {

// `file` is named in what is thrown: "openrd.toml:12: delivery.channel: ...". Throws Failure for a key that is not known or not this
// kind's, a value of the wrong type, a secret that cannot be read or that others may read. What the values mean is checked where
// the channels are made (delivery/channels.hpp).
base::DeliverySettings read_delivery(const toml::table& delivery, const std::string& file);

}  // namespace openrd
