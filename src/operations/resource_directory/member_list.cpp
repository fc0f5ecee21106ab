#include "operations/resource_directory/member_list.hpp"

#include "base/time_text.hpp"

namespace openrd::operations::resource_directory {

MemberItem member_item(api::Call& call, const store::Member& member, bool with_tags) {
    MemberItem item{.account_id = member.account_id,
                    .account_name = member.account_name,
                    .deletion_status = member.deletion_status,
                    .display_name = member.display_name,
                    .folder_id = member.folder_id,
                    .join_method = member.join_method,
                    .join_time = base::utc_milliseconds(member.joined_at_ms),
                    .modify_time = base::utc_milliseconds(member.modified_at_ms),
                    .directory_id = member.directory_id,
                    .status = member.status,
                    .type = member.type};
    if (with_tags) item.tags = wire_tags(call, store::tagged_account, member.account_id);
    return item;
}

std::vector<api::Tag> wire_tags(api::Call& call, std::string_view resource_type, std::string_view resource_id) {
    std::vector<api::Tag> tags;
    for (auto& [key, value] : store::tags_of(call.transaction, call.caller.directory_id, resource_type, resource_id)) tags.push_back(api::Tag{std::move(key), std::move(value)});
    return tags;
}

std::optional<std::vector<std::string>> ids_with(api::Call& call, std::string_view resource_type, const std::vector<api::Tag>& tags) {
    if (tags.empty()) return {};
    store::TagList wanted;
    for (const auto& tag : tags) wanted.emplace_back(tag.key, tag.value);
    return store::ids_with_tags(call.transaction, call.caller.directory_id, resource_type, wanted);
}

}  // namespace openrd::operations::resource_directory
