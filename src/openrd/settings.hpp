#pragma once
// Every setting of a server: its name, what it is in each profile, its unit and a sentence about it. docs/settings.md is made
// from this table, and a test finds a field of base::Settings that is not in it.
#include "base/limits.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace openrd {

struct Setting {
    std::string_view name;  // dotted: the struct's name and the field's
    std::string_view sentence;
    std::string_view flag;                       // of `openrd serve`, where there is one
    std::string (*show)(const base::Settings&);  // with its unit
};

std::span<const Setting> all_settings();

// decisions.md D.8 says what holds in which profile; the numbers are those of verification.md 3.
base::Settings settings_for(base::Profile profile);

// "open", "documented", "strict"
std::optional<base::Profile> parse_profile(std::string_view text);
// "international", "china"
std::optional<base::Site> parse_site(std::string_view text);
std::string_view name_of(base::Site site);

// docs/settings.md
std::string settings_as_markdown();

}  // namespace openrd
