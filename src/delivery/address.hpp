#pragma once
// What an address that a connection is about to be made to may be (verification.md 8, threat 21).
#include <sys/socket.h>

namespace openrd::delivery {

// 127.0.0.0/8 and ::1.
bool is_loopback(const sockaddr& address);

// A host of the Internet: neither this machine, nor a private or link-local network, nor a cloud's metadata, nor multicast, nor
// an address that only wraps another one (mapped, 6to4, Teredo). NAT64's well-known prefix counts as what it wraps.
bool is_public(const sockaddr& address);

}  // namespace openrd::delivery
