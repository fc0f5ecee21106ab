#pragma once
// The table of the world's mobile numbers (verification.md 2): which national numbers of a calling code are mobile ones.
// Made by tools/numbering_from_npm.js; NUMBERING.md says from what and under which licence.
#include "phone/mobile_number.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::phone {

enum class Verdict : std::uint8_t {
    mobile,
    not_mobile,       // fixed line, toll-free, premium, VoIP, satellite, written with a trunk prefix, too long or too short
    unknown_range,    // as long as a mobile number, of no range that the table knows: assigned since it was made, or not at all
    unknown_country,  // no such calling code
};

class Numbering {
  public:
    // The table that is part of the binary. Read at the first call, its patterns compiled as they are needed.
    static const Numbering& built_in();

    // A copy has the same table, and may be given another one.
    Numbering(const Numbering& other);
    Numbering& operator=(const Numbering&) = delete;

    // A newer table. Throws std::runtime_error with one clear line when the text is not one; every pattern is tried.
    static Numbering parse(std::string_view json);

    ~Numbering();

    // Uses the other one's table from now on. Safe while others read: tables that were in use stay in memory until the end (at most
    // some MiB for each that was ever given), so that a reader needs neither a lock nor a count.
    void take(const Numbering& newer);

    // A number is mobile when its national part as written matches a mobile pattern of its calling code in full: so there is one
    // spelling of each number, and no second one to dodge a limit with. Codes that belong to no country (satellite, toll-free,
    // premium) are never mobile. Safe from many threads; without a lock once a calling code was used.
    Verdict check(const MobileNumber& number) const;

    // The number behind "+6581234567"; nothing when it is written otherwise or begins with no calling code.
    std::optional<MobileNumber> from_e164(std::string_view text) const;

    // References that stay good.
    const std::string& source() const;    // "libphonenumber-js 1.13.16"
    const std::string& released() const;  // 2026-11-10: old tables refuse numbers that were assigned since
    std::size_t calling_codes() const;

  private:
    struct Table;
    explicit Numbering(std::shared_ptr<const Table> table);
    static std::unique_ptr<Table> read(std::string_view json);
    std::shared_ptr<const Table> latest() const;

    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<const Table>> tables_;  // the latest one last
    std::atomic<const Table*> table_;
};

}  // namespace openrd::phone
