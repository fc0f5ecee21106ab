// ListFoldersForParent lists the folders directly below one; without one, below Root.
#include "api/operation.hpp"
#include "api/paging.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "operations/resource_directory/folder_of.hpp"
#include "operations/resource_directory/member_list.hpp"
#include "operations/resource_directory/rules.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    api::Page page;
    std::string parent_folder_id;
    std::string keyword;
    std::vector<api::Tag> tags;
};

struct Folder {
    std::string create_time, folder_id, folder_name;
    std::vector<api::Tag> tags;
};
constexpr api::Field<Folder> folder_fields[] = {
    api::field<&Folder::create_time>("CreateTime"),
    api::field<&Folder::folder_id>("FolderId"),
    api::field<&Folder::folder_name>("FolderName"),
    api::field<&Folder::tags>("Tags.Tag[]", api::tag_fields).only(api::master_2022),
};

struct Answer {
    std::vector<Folder> folders;
    api::PageOf page;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "ListFoldersForParent",
    .summary = "Lists the folders directly below a folder.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::read,
    .action = "resourcemanager:ListFoldersForParent",
    .resource = api::folder_in_tree<&Request::parent_folder_id>,
    .callers = api::Callers::management_or_delegated,
    .rate = api::per_second(50),
    .parameters{
        api::group<&Request::page>(api::page_parameters),
        api::optional<&Request::parent_folder_id>("ParentFolderId", folder_id_rule),
        api::optional<&Request::keyword>("QueryKeyword", keyword_rule),
        api::optional<&Request::tags>("Tag.N", api::tag_fields).at_most(20).only(api::master_2022),
    },
    .answer{
        api::field<&Answer::folders>("Folders.Folder[]", folder_fields),
        api::group<&Answer::page>(api::page_fields),
    },
    .faults = {fault::folder_not_exists},
    .run = run,
};

Answer run(const Request& request, api::Call& call) {
    const auto parent = folder_or_root(call, request.parent_folder_id);
    if (!parent) throw operation.fault(fault::folder_not_exists);
    store::FolderFilter filter{.keyword = base::ascii_lower(request.keyword)};
    if (auto ids = ids_with(call, store::tagged_folder, request.tags)) {
        filter.by_tags = true;
        filter.only = *std::move(ids);
    }
    const auto offset = (std::int64_t{request.page.number} - 1) * request.page.size;
    Answer answer;
    for (const auto& folder : store::list_subfolders(call.transaction, *parent, filter, offset, request.page.size))
        answer.folders.push_back({base::utc_milliseconds(folder.created_at_ms), folder.folder_id, folder.folder_name, wire_tags(call, store::tagged_folder, folder.folder_id)});
    answer.page = {request.page.number, request.page.size, static_cast<std::int32_t>(store::count_subfolders(call.transaction, *parent, filter))};
    return answer;
}

}  // namespace

extern constinit const api::AnyOperation list_folders_for_parent{operation};

}  // namespace openrd::operations::resource_directory
