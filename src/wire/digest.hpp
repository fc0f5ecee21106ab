#pragma once
// OpenSSL's digests, fetched once per process, with one context per thread and algorithm (hot-path.md, rule 7).
#include <array>
#include <cstdint>
#include <string_view>

namespace openrd::wire {

using Md5 = std::array<unsigned char, 16>;
using Sha1 = std::array<unsigned char, 20>;
using Sha256 = std::array<unsigned char, 32>;

// Of first and second, one after the other.
Md5 md5(std::string_view text);
Sha1 sha1(std::string_view first, std::string_view second = {});
Sha256 sha256(std::string_view first, std::string_view second = {});

// Lower-case hex of a SHA-256, without an allocation.
using Sha256Hex = std::array<char, 64>;
Sha256Hex hex_of(const Sha256& hash);

template <class Bytes> std::string_view view_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace openrd::wire
