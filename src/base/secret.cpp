#include "base/secret.hpp"

#include <sodium.h>

namespace openrd::base {

bool constant_time_equal(std::string_view a, std::string_view b) { return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0; }

void wipe(std::string& text) noexcept {
    // Up to the capacity: a string that was longer once still holds what it had, and a moved-from one its small buffer.
    sodium_memzero(text.data(), text.capacity());
    text.clear();
}

Secret& Secret::operator=(const Secret& other) {
    if (this != &other) {
        wipe(text_);
        text_ = other.text_;
    }
    return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe(text_);
        text_ = std::move(other.text_);
        wipe(other.text_);
    }
    return *this;
}

}  // namespace openrd::base
