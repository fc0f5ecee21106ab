#pragma once
// The policies that every account has (protocol.md H.8). Some of the vendor's texts are not public; those are made up by their
// description. Their conditional statements are left out: without a Condition they would grant more.
#include "policy/document.hpp"

#include <span>
#include <string_view>

namespace openrd::policy {

struct SystemPolicy {
    std::string_view name;
    std::string_view text;  // as GetPolicy answers it
};

std::span<const SystemPolicy> system_policies();  // by name

// Parsed once. Null: there is no such policy. Names are compared exactly.
const Document* find_system_policy(std::string_view name);

}  // namespace openrd::policy
