#pragma once
// Accounts: every one that is known here, in a directory or not.
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

inline constexpr std::string_view standing_none = "none", standing_management = "management", standing_member = "member";
// Of the enterprise real-name verification.
inline constexpr std::string_view enterprise_verified = "verified", enterprise_unverified = "unverified", enterprise_withdrawn = "withdrawn";

struct Account {
    std::string account_id;
    std::string account_name;  // with which its root logs on
    std::string display_name;
    std::string email;
    std::string site;  // international, china
    std::string standing = std::string(standing_none);
    std::optional<std::string> directory_id;  // which it manages or is a member of
    std::string enterprise_name;
    std::string enterprise_state = std::string(enterprise_unverified);
    bool root_enabled = true;
    std::optional<std::string> phone_sealed;  // its own secure phone: keys::Purpose::phone, associated with its id
    std::int64_t created_at_ms = 0;
};

std::optional<Account> find_account(db::Transaction&, std::string_view account_id);
// The same, and nobody else holds it or changes its row until this transaction ends.
std::optional<Account> hold_account(db::Transaction&, std::string_view account_id);
void insert_account(db::Transaction&, const Account&);
void set_standing(db::Transaction&, std::string_view account_id, std::string_view standing, const std::optional<std::string>& directory_id);
// False when there is no such account.
bool set_enterprise_state(db::Transaction&, std::string_view account_id, std::string_view state);
// In order of their ids, after `after`.
std::vector<Account> list_accounts(db::Transaction&, std::string_view after, std::int64_t limit);

}  // namespace openrd::store
