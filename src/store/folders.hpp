#pragma once
// Folders: the tree of a directory.
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

struct Folder {
    std::string directory_id;
    std::string folder_id;
    std::optional<std::string> parent_folder_id;  // Root has none
    std::string folder_name;
    std::int64_t depth = 0;  // of Root: 0
    std::string path;        // rd-3G1234/r-Wm1234/fd-QRzuim1234: the RDPath
    std::int64_t subfolder_count = 0;
    std::int64_t member_count = 0;  // directly in it
    std::int64_t created_at_ms = 0;
};

// What a list is narrowed to.
struct FolderFilter {
    std::string keyword;            // folded; empty: all
    std::vector<std::string> only;  // ids that have the tags asked for, sorted
    bool by_tags = false;
};

std::optional<Folder> find_folder(db::Transaction&, std::string_view directory_id, std::string_view folder_id);
void insert_root_folder(db::Transaction&, std::string_view directory_id, std::string_view folder_id, std::int64_t now_ms);
// False when the parent has a folder of that name. Fills in depth and path.
bool insert_folder(db::Transaction&, const Folder& parent, Folder& folder);
std::vector<Folder> list_subfolders(db::Transaction&, const Folder& parent, const FolderFilter&, std::int64_t offset, std::int64_t limit);
std::int64_t count_subfolders(db::Transaction&, const Folder& parent, const FolderFilter&);

}  // namespace openrd::store
