#include "phone/mobile_number.hpp"

#include <sodium.h>

#include <algorithm>
#include <ostream>

namespace openrd::phone {
namespace {

constexpr std::size_t most_digits = 15;

bool all_digits(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<MobileNumber> MobileNumber::parse(std::string_view text) {
    const auto dash = text.find('-');
    if (dash == text.npos || dash < 1 || dash > 3 || text.front() == '0' || text.size() > most_digits + 1) return {};
    const auto code = text.substr(0, dash), national = text.substr(dash + 1);
    if (national.size() < 4 || national.size() > 14 || !all_digits(code) || !all_digits(national)) return {};
    MobileNumber number;
    number.size_ = static_cast<std::uint8_t>(text.size());
    number.code_size_ = static_cast<std::uint8_t>(code.size());
    std::ranges::copy(text, number.api_form_.begin());
    number.e164_[0] = '+';
    std::ranges::copy(national, std::ranges::copy(code, number.e164_.begin() + 1).out);
    return number;
}

MobileNumber& MobileNumber::operator=(MobileNumber&& other) noexcept {
    if (this != &other) {
        *this = other;
        other.wipe();
    }
    return *this;
}

void MobileNumber::wipe() noexcept {
    sodium_memzero(api_form_.data(), api_form_.size());
    sodium_memzero(e164_.data(), e164_.size());
    size_ = code_size_ = 0;
}

std::string MobileNumber::masked() const {
    if (empty()) return {};
    const auto national = reveal_national();
    const std::size_t kept = national.size() < 8 ? 2 : national.size() - 4;
    std::string out(reveal().substr(0, code_size_ + 1u + kept));
    out.append(national.size() - kept, '*');
    return out;
}

std::ostream& operator<<(std::ostream& out, const MobileNumber& number) { return out << number.masked(); }

}  // namespace openrd::phone
