// ListAccountsForParent lists the members that stand directly in one folder; without one, in Root.
#include "api/operation.hpp"
#include "api/paging.hpp"
#include "base/text.hpp"
#include "operations/resource_directory/folder_of.hpp"
#include "operations/resource_directory/member_list.hpp"
#include "operations/resource_directory/rules.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    bool include_tags = false;
    api::Page page;
    std::string parent_folder_id;
    std::string keyword;
    std::vector<api::Tag> tags;
};

struct Answer {
    std::vector<MemberItem> accounts;
    api::PageOf page;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "ListAccountsForParent",
    .summary = "Lists the members that stand directly in a folder.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::read,
    .action = "resourcemanager:ListAccountsForParent",
    .resource = api::folder_in_tree<&Request::parent_folder_id>,
    .callers = api::Callers::management_or_delegated,
    .rate = api::per_second(50),
    .parameters{
        api::optional<&Request::include_tags>("IncludeTags"),
        api::group<&Request::page>(api::page_parameters),
        api::optional<&Request::parent_folder_id>("ParentFolderId", folder_id_rule),
        api::optional<&Request::keyword>("QueryKeyword", keyword_rule),
        api::optional<&Request::tags>("Tag.N", api::tag_fields).at_most(20),
    },
    .answer{
        api::field<&Answer::accounts>("Accounts.Account[]", member_item_fields),
        api::group<&Answer::page>(api::page_fields),
    },
    .faults = {fault::folder_not_exists},
    .run = run,
};

Answer run(const Request& request, api::Call& call) {
    const auto folder = folder_or_root(call, request.parent_folder_id);
    if (!folder) throw operation.fault(fault::folder_not_exists);
    store::MemberFilter filter{.folder_id = folder->folder_id, .keyword = base::ascii_lower(request.keyword)};
    if (auto ids = ids_with(call, store::tagged_account, request.tags)) {
        filter.by_tags = true;
        filter.only = *std::move(ids);
    }
    const auto offset = (std::int64_t{request.page.number} - 1) * request.page.size;
    Answer answer;
    for (const auto& member : store::list_members(call.transaction, folder->directory_id, filter, "", offset, request.page.size))
        answer.accounts.push_back(member_item(call, member, request.include_tags));
    const auto total = filter.filtered() ? store::count_members(call.transaction, folder->directory_id, filter) : folder->member_count;
    answer.page = {request.page.number, request.page.size, static_cast<std::int32_t>(total)};
    return answer;
}

}  // namespace

extern constinit const api::AnyOperation list_accounts_for_parent{operation};

}  // namespace openrd::operations::resource_directory
