#pragma once
// What the operator allows one directory instead of what the settings allow each.
#include "db/engine.hpp"

namespace openrd::store {

inline constexpr std::int64_t unlimited = -1;

struct DirectoryLimits {
    std::string directory_id;
    std::optional<std::int64_t> sends_per_hour, sends_per_day, wrong_per_day;  // nothing: the settings hold; 0: nothing is sent
};

std::optional<DirectoryLimits> find_directory_limits(db::Transaction&, std::string_view directory_id);
void put_directory_limits(db::Transaction&, const DirectoryLimits&, std::int64_t now_ms);
// False: it had none.
bool delete_directory_limits(db::Transaction&, std::string_view directory_id);

}  // namespace openrd::store
