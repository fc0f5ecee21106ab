#pragma once
// Tags of a directory's accounts, folders and control policies.
#include "db/engine.hpp"

#include <utility>
#include <vector>

namespace openrd::store {

inline constexpr std::string_view tagged_account = "Account", tagged_folder = "Folder";

using TagList = std::vector<std::pair<std::string, std::string>>;  // key and value

TagList tags_of(db::Transaction&, std::string_view directory_id, std::string_view resource_type, std::string_view resource_id);
void put_tag(db::Transaction&, std::string_view directory_id, std::string_view resource_type, std::string_view resource_id, std::string_view key, std::string_view value);
// The ids, sorted, of what has every one of `wanted`; a wanted tag with an empty value asks for the key alone.
std::vector<std::string> ids_with_tags(db::Transaction&, std::string_view directory_id, std::string_view resource_type, const TagList& wanted);

}  // namespace openrd::store
