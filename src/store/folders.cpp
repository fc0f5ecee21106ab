#include "store/folders.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace openrd::store {
namespace {

Folder read(const db::Rows& rows) {
    return {.directory_id = rows.text(0),
            .folder_id = rows.text(1),
            .parent_folder_id = rows.optional_text(2),
            .folder_name = rows.text(3),
            .depth = rows.integer(4),
            .path = rows.text(5),
            .subfolder_count = rows.integer(6),
            .member_count = rows.integer(7),
            .created_at_ms = rows.integer(8)};
}

bool matches(const Folder& folder, const FolderFilter& filter) {
    return (filter.keyword.empty() || base::ascii_lower(folder.folder_name).find(filter.keyword) != std::string::npos) &&
           (!filter.by_tags || std::ranges::binary_search(filter.only, folder.folder_id));
}

// Folders are few (100 by the vendor's quota): a filtered list reads all of a parent's.
std::vector<Folder> filtered(db::Transaction& tx, const Folder& parent, const FolderFilter& filter) {
    static constexpr db::Sql sql{
        "SELECT directory_id, folder_id, parent_folder_id, folder_name, depth, path, subfolder_count, member_count, created_at_ms "
        "FROM folders WHERE directory_id = $1 AND parent_folder_id = $2 ORDER BY folder_name"};
    std::vector<Folder> folders;
    for (auto rows = tx.query(sql, {parent.directory_id, parent.folder_id}); rows.next();)
        if (auto folder = read(rows); matches(folder, filter)) folders.push_back(std::move(folder));
    return folders;
}

bool unfiltered(const FolderFilter& filter) { return filter.keyword.empty() && !filter.by_tags; }

}  // namespace

std::optional<Folder> find_folder(db::Transaction& tx, std::string_view directory_id, std::string_view folder_id) {
    static constexpr db::Sql sql{
        "SELECT directory_id, folder_id, parent_folder_id, folder_name, depth, path, subfolder_count, member_count, created_at_ms "
        "FROM folders WHERE directory_id = $1 AND folder_id = $2"};
    auto rows = tx.query(sql, {directory_id, folder_id});
    return rows.next() ? std::optional(read(rows)) : std::nullopt;
}

void insert_root_folder(db::Transaction& tx, std::string_view directory_id, std::string_view folder_id, std::int64_t now_ms) {
    static constexpr db::Sql sql{
        "INSERT INTO folders (directory_id, folder_id, parent_folder_id, folder_name, folded_name, depth, path, subfolder_count, member_count, created_at_ms) "
        "VALUES ($1, $2, NULL, 'root', 'root', 0, $3, 0, 0, $4)"};
    const auto path = std::string(directory_id) + "/" + std::string(folder_id);
    tx.run(sql, {directory_id, folder_id, path, now_ms});
}

bool insert_folder(db::Transaction& tx, const Folder& parent, Folder& folder) {
    static constexpr db::Sql insert{
        "INSERT INTO folders (directory_id, folder_id, parent_folder_id, folder_name, folded_name, depth, path, subfolder_count, member_count, created_at_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8) ON CONFLICT (directory_id, parent_folder_id, folder_name) DO NOTHING"};
    static constexpr db::Sql count_in_parent{"UPDATE folders SET subfolder_count = subfolder_count + 1 WHERE directory_id = $1 AND folder_id = $2"};
    static constexpr db::Sql count_in_directory{"UPDATE directories SET folder_count = folder_count + 1 WHERE directory_id = $1"};
    folder.directory_id = parent.directory_id;
    folder.parent_folder_id = parent.folder_id;
    folder.depth = parent.depth + 1;
    folder.path = parent.path + "/" + folder.folder_id;
    if (tx.run(insert, {folder.directory_id, folder.folder_id, parent.folder_id, folder.folder_name, base::ascii_lower(folder.folder_name), folder.depth, folder.path,
                        folder.created_at_ms}) == 0)
        return false;
    tx.run(count_in_parent, {folder.directory_id, parent.folder_id});
    tx.run(count_in_directory, {folder.directory_id});
    return true;
}

std::vector<Folder> list_subfolders(db::Transaction& tx, const Folder& parent, const FolderFilter& filter, std::int64_t offset, std::int64_t limit) {
    static constexpr db::Sql sql{
        "SELECT directory_id, folder_id, parent_folder_id, folder_name, depth, path, subfolder_count, member_count, created_at_ms "
        "FROM folders WHERE directory_id = $1 AND parent_folder_id = $2 ORDER BY folder_name LIMIT $3 OFFSET $4"};
    std::vector<Folder> folders;
    if (unfiltered(filter)) {
        for (auto rows = tx.query(sql, {parent.directory_id, parent.folder_id, limit, offset}); rows.next();) folders.push_back(read(rows));
        return folders;
    }
    auto all = filtered(tx, parent, filter);
    for (auto i = static_cast<std::size_t>(offset); i < all.size() && folders.size() < static_cast<std::size_t>(limit); ++i) folders.push_back(std::move(all[i]));
    return folders;
}

std::int64_t count_subfolders(db::Transaction& tx, const Folder& parent, const FolderFilter& filter) {
    return unfiltered(filter) ? parent.subfolder_count : static_cast<std::int64_t>(filtered(tx, parent, filter).size());
}

}  // namespace openrd::store
