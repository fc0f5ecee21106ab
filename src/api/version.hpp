#pragma once
// One product in one version, as the client names it: (Version=2022-04-19) chooses master_2022.
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace openrd::api {

enum class Version : std::uint8_t { manager_2020, master_2022, ram_2015, sts_2015, trail_2020 };
using enum Version;

struct VersionFacts {
    std::string_view product, date, ram_code;
    std::string_view service_name, host;  // of audit events (protocol.md I)
};
inline constexpr VersionFacts version_facts[] = {
    {"ResourceManager", "2020-03-31", "resourcemanager", "ResourceManager", "resourcemanager.aliyuncs.com"},
    {"ResourceDirectoryMaster", "2022-04-19", "resourcemanager", "ResourceManager", "resourcedirectory.aliyuncs.com"},
    {"Ram", "2015-05-01", "ram", "Ram", "ram.aliyuncs.com"},
    {"Sts", "2015-04-01", "sts", "Sts", "sts.aliyuncs.com"},
    {"Actiontrail", "2020-07-06", "actiontrail", "ActionTrail", "actiontrail.aliyuncs.com"},
};
constexpr const VersionFacts& facts_of(Version v) { return version_facts[static_cast<std::size_t>(v)]; }

// The version with that date; null: no product of ours has it.
inline constexpr Version every_version[] = {manager_2020, master_2022, ram_2015, sts_2015, trail_2020};
constexpr const Version* find_version(std::string_view date) {
    for (const Version& v : every_version)
        if (facts_of(v).date == date) return &v;
    return nullptr;
}

class Versions {
  public:
    consteval Versions(std::initializer_list<Version> list) {
        for (Version v : list) bits_ |= bit(v);
    }
    static constexpr Versions all() { return Versions(~0u); }
    static constexpr Versions none() { return Versions(0u); }
    static constexpr Versions of(Version v) { return Versions(bit(v)); }
    constexpr bool has(Version v) const { return (bits_ & bit(v)) != 0; }
    constexpr bool within(Versions other) const { return (bits_ & ~other.bits_) == 0; }
    constexpr bool meets(Versions other) const { return (bits_ & other.bits_) != 0; }
    constexpr Versions with(Versions other) const { return Versions(bits_ | other.bits_); }

  private:
    explicit constexpr Versions(std::uint32_t bits) : bits_(bits) {}
    static constexpr std::uint32_t bit(Version v) { return 1u << static_cast<unsigned>(v); }
    std::uint32_t bits_ = 0;
};

}  // namespace openrd::api
