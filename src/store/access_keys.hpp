#pragma once
// AccessKeys. The secret is sealed (keys::Purpose::access_key_secret, associated with the AccessKey id).
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

inline constexpr std::string_view key_active = "Active", key_inactive = "Inactive";

struct AccessKey {
    std::string access_key_id;
    std::string account_id;
    std::string user_id;  // empty: of the account's root
    std::string secret_sealed;
    std::string status = std::string(key_active);
    std::int64_t created_at_ms = 0;
};

std::optional<AccessKey> find_access_key(db::Transaction&, std::string_view access_key_id);
void insert_access_key(db::Transaction&, const AccessKey&);
std::vector<AccessKey> list_access_keys(db::Transaction&, std::string_view account_id);
bool set_access_key_status(db::Transaction&, std::string_view access_key_id, std::string_view status);

}  // namespace openrd::store
