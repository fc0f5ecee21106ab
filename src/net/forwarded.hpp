#pragma once
// Where a request came from, when proxies stand in between. Their headers are believed from declared networks alone: anybody can
// write X-Forwarded-For.
#include "base/network.hpp"
#include "pipeline/handler.hpp"

#include <span>
#include <string>

namespace openrd::net {

bool is_trusted(const base::Address& address, std::span<const base::Network> proxies);

struct Origin {
    std::string address;
    bool tls = false;
};

// For a request whose peer is in a declared network; `connection_tls`: whether that connection is TLS. The address is the right-most one
// of X-Forwarded-For, over all such headers in their order, that is in no declared network; the left-most when all of them are. What
// stands left of something that is no address is not looked at: it was not written by a proxy that we know. TLS is what
// X-Forwarded-Proto says; when it is there twice, or says anything but `https`, the request was plain.
Origin forwarded_origin(const base::Address& peer, bool connection_tls, std::span<const pipeline::Header> headers, std::span<const base::Network> proxies);

}  // namespace openrd::net
