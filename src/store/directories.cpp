#include "store/directories.hpp"

#include "store/accounts.hpp"
#include "store/folders.hpp"

namespace openrd::store {

std::optional<Directory> find_directory(db::Transaction& tx, std::string_view directory_id) {
    static constexpr db::Sql sql{
        "SELECT directory_id, management_account_id, root_folder_id, control_policy_status, member_deletion_status, display_name_sync_status, member_count, folder_count, "
        "created_at_ms "
        "FROM directories WHERE directory_id = $1"};
    auto rows = tx.query(sql, {directory_id});
    if (!rows.next()) return {};
    return Directory{.directory_id = rows.text(0),
                     .management_account_id = rows.text(1),
                     .root_folder_id = rows.text(2),
                     .control_policy_status = rows.text(3),
                     .member_deletion_status = rows.text(4),
                     .display_name_sync_status = rows.text(5),
                     .member_count = rows.integer(6),
                     .folder_count = rows.integer(7),
                     .created_at_ms = rows.integer(8)};
}

Directory load_directory(db::Transaction& tx, std::string_view directory_id) {
    auto directory = find_directory(tx, directory_id);
    if (!directory) throw db::Error(db::Trouble::damaged, "an account names a directory that is not there");
    return *std::move(directory);
}

void hold_directory(db::Transaction& tx, std::string_view directory_id) {
    static constexpr db::Sql sql{"SELECT 1 FROM directories WHERE directory_id = $1 /*for update*/"};
    tx.post(sql, {directory_id});
}

void insert_directory(db::Transaction& tx, const Directory& d) {
    static constexpr db::Sql sql{
        "INSERT INTO directories (directory_id, management_account_id, root_folder_id, control_policy_status, member_deletion_status, display_name_sync_status, member_count, "
        "folder_count, "
        "created_at_ms) VALUES ($1, $2, $3, $4, $5, $6, 0, 0, $7)"};
    tx.run(sql, {d.directory_id, d.management_account_id, d.root_folder_id, d.control_policy_status, d.member_deletion_status, d.display_name_sync_status, d.created_at_ms});
    insert_root_folder(tx, d.directory_id, d.root_folder_id, d.created_at_ms);
    set_standing(tx, d.management_account_id, standing_management, d.directory_id);
}

}  // namespace openrd::store
