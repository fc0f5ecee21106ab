#pragma once
// The table of the world's mobile numbers (verification.md 2): which national numbers of a calling code are mobile ones.
// Made by tools/numbering_from_npm.js; NUMBERING.md says from what and under which licence.
#include "phone/mobile_number.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::phone {

enum class Verdict : std::uint8_t {
    mobile,
    not_mobile,       // fixed line, toll-free, premium, VoIP, satellite, not assigned, written with a trunk prefix
    unknown_country,  // no such calling code
};

class Numbering {
  public:
    // The table that is part of the binary. Read at the first call, its patterns compiled as they are needed.
    static const Numbering& built_in();

    // A newer table. Throws std::runtime_error with one clear line when the text is not one; every pattern is tried.
    static Numbering parse(std::string_view json);

    Numbering(Numbering&&) noexcept;
    Numbering& operator=(Numbering&&) noexcept;
    ~Numbering();

    // A number is mobile when its national part as written matches a mobile pattern of its calling code in full: so there is one
    // spelling of each number, and no second one to dodge a limit with. Codes that belong to no country (satellite, toll-free,
    // premium) are never mobile. Safe from many threads; without a lock once a calling code was used.
    Verdict check(const MobileNumber& number) const;

    // The number behind "+6581234567"; nothing when it is written otherwise or begins with no calling code.
    std::optional<MobileNumber> from_e164(std::string_view text) const;

    const std::string& source() const;    // "libphonenumber-js 1.13.16"
    const std::string& released() const;  // 2026-11-10: old tables refuse numbers that were assigned since
    std::size_t calling_codes() const;

  private:
    struct Table;
    explicit Numbering(std::unique_ptr<Table> table) noexcept;
    static std::unique_ptr<Table> read(std::string_view json);

    std::unique_ptr<Table> table_;
};

}  // namespace openrd::phone
