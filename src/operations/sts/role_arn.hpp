#pragma once
// acs:ram::<account>:role/<name>, as AssumeRole is given it.
#include <algorithm>
#include <optional>
#include <string_view>

namespace openrd::operations::sts {

struct RoleArn {
    std::string_view account_id, role_name;
};

constexpr std::optional<RoleArn> parse_role_arn(std::string_view arn) {
    constexpr std::string_view scheme = "acs:ram::", kind = ":role/";
    constexpr std::size_t account_digits = 16, name_most = 64;
    if (!arn.starts_with(scheme) || arn.size() <= scheme.size() + account_digits + kind.size()) return {};
    const RoleArn parts{arn.substr(scheme.size(), account_digits), arn.substr(scheme.size() + account_digits + kind.size())};
    const auto name_character = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_'; };
    if (!std::ranges::all_of(parts.account_id, [](char c) { return c >= '0' && c <= '9'; }) || !std::ranges::all_of(parts.role_name, name_character)) return {};
    if (arn.substr(scheme.size() + account_digits, kind.size()) != kind || parts.role_name.size() > name_most) return {};
    return parts;
}

}  // namespace openrd::operations::sts
