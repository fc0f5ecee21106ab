#pragma once
// A page of members, as ListAccounts and ListAccountsForParent answer it.
#include "api/call.hpp"
#include "api/field.hpp"
#include "api/tags.hpp"
#include "store/members.hpp"
#include "store/tags.hpp"

namespace openrd::operations::resource_directory {

struct MemberItem {
    std::string account_id;
    std::string account_name;
    std::optional<std::string> deletion_status;
    std::string display_name;
    std::string folder_id;
    std::string join_method;
    std::string join_time;
    std::string modify_time;
    std::string directory_id;
    std::string status;
    std::optional<std::vector<api::Tag>> tags;  // only when asked for
    std::string type;
};
inline constexpr api::Field<MemberItem> member_item_fields[] = {
    api::field<&MemberItem::account_id>("AccountId"),
    api::field<&MemberItem::account_name>("AccountName").only(api::master_2022),
    api::field<&MemberItem::deletion_status>("DeletionStatus").only(api::master_2022),
    api::field<&MemberItem::display_name>("DisplayName"),
    api::field<&MemberItem::folder_id>("FolderId"),
    api::field<&MemberItem::join_method>("JoinMethod"),
    api::field<&MemberItem::join_time>("JoinTime"),
    api::field<&MemberItem::modify_time>("ModifyTime"),
    api::field<&MemberItem::directory_id>("ResourceDirectoryId"),
    api::field<&MemberItem::status>("Status"),
    api::field<&MemberItem::tags>("Tags.Tag[]", api::tag_fields),
    api::field<&MemberItem::type>("Type"),
};

MemberItem member_item(api::Call& call, const store::Member& member, bool with_tags);

// The tags of an account or a folder, in the wire's form.
std::vector<api::Tag> wire_tags(api::Call& call, std::string_view resource_type, std::string_view resource_id);
// What a list is to be narrowed to: the ids that have every tag asked for; nothing: no tag was asked for.
std::optional<std::vector<std::string>> ids_with(api::Call& call, std::string_view resource_type, const std::vector<api::Tag>& tags);

}  // namespace openrd::operations::resource_directory
