#pragma once
// Who may use the control endpoints: whoever can reach the sandbox by its own address, but no web page that a developer has open.
// A page of another origin says so in its Origin, or in Sec-Fetch-Site; one that has turned its own name into a loopback address
// (DNS rebinding) says so in its Host.
#include "pipeline/handler.hpp"

#include <string>
#include <string_view>

namespace openrd::sandbox {

// Why the request is refused; empty: it is not. `listen_address` is an IP address; when it is 0.0.0.0 or :: it stands for all of the
// machine's, so that any IP address passes as a Host: a page cannot make a name out of one.
std::string refuse_foreign(const pipeline::Request& request, std::string_view listen_address);

}  // namespace openrd::sandbox
