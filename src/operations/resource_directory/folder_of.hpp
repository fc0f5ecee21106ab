#pragma once
// The folder that a request names, in the caller's directory.
#include "api/call.hpp"
#include "store/directories.hpp"
#include "store/folders.hpp"

namespace openrd::operations::resource_directory {

// Root when the id is empty; nothing when there is no such folder.
inline std::optional<store::Folder> folder_or_root(api::Call& call, const std::string& folder_id) {
    const auto& directory_id = call.caller.directory_id;
    return store::find_folder(call.transaction, directory_id, folder_id.empty() ? store::load_directory(call.transaction, directory_id).root_folder_id : folder_id);
}

}  // namespace openrd::operations::resource_directory
