#include "base/identifiers.hpp"

#include <sodium.h>

#include <cstring>

namespace openrd::base {
namespace {

// The kernel is asked for 4 KiB at a time, not once for each identifier; what was handed out is wiped.
class Pool {
  public:
    ~Pool() { sodium_memzero(bytes_, sizeof bytes_); }
    void take(void* to, std::size_t count) {
        if (count > sizeof bytes_) return randombytes_buf(to, count);
        if (count > left_) {
            randombytes_buf(bytes_, sizeof bytes_);
            left_ = sizeof bytes_;
        }
        unsigned char* const from = bytes_ + sizeof bytes_ - left_;
        std::memcpy(to, from, count);
        std::memset(from, 0, count);
        left_ -= count;
    }

  private:
    unsigned char bytes_[4096] = {};
    std::size_t left_ = 0;
};
thread_local Pool pool;

std::string from_alphabet(std::string_view prefix, std::size_t count, std::string_view alphabet) {
    std::string out(prefix);
    out.reserve(prefix.size() + count);
    const unsigned fair = 256 / static_cast<unsigned>(alphabet.size()) * static_cast<unsigned>(alphabet.size());
    while (out.size() < prefix.size() + count) {
        unsigned char byte = 0;
        pool.take(&byte, 1);
        if (byte < fair) out += alphabet[byte % alphabet.size()];
    }
    return out;
}

}  // namespace

std::string random_bytes(std::size_t count) {
    std::string out(count, '\0');
    pool.take(out.data(), count);
    return out;
}

std::string identifier(std::string_view prefix, std::size_t count) { return from_alphabet(prefix, count, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"); }

std::string random_digits(std::size_t count) {
    std::string out = from_alphabet({}, count == 0 ? 0 : 1, "123456789");
    out += from_alphabet({}, count - out.size(), "0123456789");
    return out;
}

std::string request_id() {
    unsigned char bytes[16];
    pool.take(bytes, sizeof bytes);
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    out.reserve(36);
    for (std::size_t i = 0; i < sizeof bytes; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += digits[bytes[i] >> 4];
        out += digits[bytes[i] & 15];
    }
    return out;
}

}  // namespace openrd::base
