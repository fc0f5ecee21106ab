#pragma once
// Resource directories.
#include "db/engine.hpp"

namespace openrd::store {

struct Directory {
    std::string directory_id;
    std::string management_account_id;
    std::string root_folder_id;
    std::string control_policy_status = "Disabled";
    std::string member_deletion_status = "Disabled";
    std::string display_name_sync_status = "Disabled";
    std::int64_t member_count = 0;  // kept by store/members
    std::int64_t folder_count = 0;  // without Root; kept by store/folders
    std::int64_t created_at_ms = 0;
};

std::optional<Directory> find_directory(db::Transaction&, std::string_view directory_id);
// The directory, which the caller knows to be there: throws db::Error(damaged) otherwise.
Directory load_directory(db::Transaction&, std::string_view directory_id);
// Nobody else holds it or changes its row until this transaction ends. What was read before is to be read again.
void hold_directory(db::Transaction&, std::string_view directory_id);
// With its Root folder; the account becomes its management account.
void insert_directory(db::Transaction&, const Directory&);

}  // namespace openrd::store
