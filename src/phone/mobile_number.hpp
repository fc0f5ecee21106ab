#pragma once
// A mobile number as the API writes it, 65-81234567: calling code, dash, national number without a trunk prefix.
//
// It is a datum of a person and half of a proof of possession, so it is never answered, printed or logged in full: what prints is
// the mask, and each use of the whole number is called reveal-something, so that it can be found. Two numbers are compared by
// their blind indexes (keys::Ring::blind_index), never here. Its memory is wiped.
#include <array>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::phone {

class MobileNumber {
  public:
    static constexpr bool wire_secret = true;    // api/type.hpp: never in a log
    static constexpr bool wire_personal = true;  // in the audit log only under the person's own key

    // ^[1-9][0-9]{0,2}-[0-9]{4,14}$, bytes only, at most 15 digits together (decisions.md D.1). Syntax alone: whether it is a
    // mobile number is Numbering::check.
    static std::optional<MobileNumber> parse(std::string_view text);

    MobileNumber() = default;  // empty
    MobileNumber(const MobileNumber&) = default;
    // NOLINTNEXTLINE(performance-move-constructor-init): the bytes are copied, and those left behind are wiped
    MobileNumber(MobileNumber&& other) noexcept : MobileNumber(other) { other.wipe(); }
    MobileNumber& operator=(const MobileNumber&) = default;
    MobileNumber& operator=(MobileNumber&& other) noexcept;
    ~MobileNumber() { wipe(); }

    bool empty() const { return size_ == 0; }

    // 65
    std::string_view calling_code() const& { return {api_form_.data(), code_size_}; }
    std::string_view calling_code() && = delete;

    // 65-8123****: the calling code, and all but the last four digits; of fewer than 8 national digits only the first two are
    // kept (verification.md 5). The one mask everywhere: two masks of one number would give it away.
    std::string masked() const;

    // 65-81234567, +6581234567 and 81234567. They live as long as the number: its memory is the only one that is wiped.
    std::string_view reveal() const& { return {api_form_.data(), size_}; }
    std::string_view reveal_e164() const& { return {e164_.data(), size_}; }
    std::string_view reveal_national() const& { return reveal().substr(empty() ? 0 : code_size_ + 1u); }
    std::string_view reveal() && = delete;
    std::string_view reveal_e164() && = delete;
    std::string_view reveal_national() && = delete;

    friend bool operator==(const MobileNumber&, const MobileNumber&) = delete;
    friend auto operator<=>(const MobileNumber&, const MobileNumber&) = delete;
    friend std::ostream& operator<<(std::ostream& out, const MobileNumber& number);  // the mask

  private:
    void wipe() noexcept;

    // Both forms are equally long: one has a + in front, the other a dash inside; 15 digits at most.
    std::array<char, 16> api_form_{};
    std::array<char, 16> e164_{};
    std::uint8_t size_ = 0;
    std::uint8_t code_size_ = 0;
};

}  // namespace openrd::phone
