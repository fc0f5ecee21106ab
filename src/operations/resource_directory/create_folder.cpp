// CreateFolder makes a folder below another, or below Root; five levels at most.
#include "api/operation.hpp"
#include "api/tags.hpp"
#include "base/identifiers.hpp"
#include "base/time_text.hpp"
#include "operations/resource_directory/folder_of.hpp"
#include "operations/resource_directory/rules.hpp"
#include "store/tags.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    std::string folder_name;
    std::string parent_folder_id;
    std::vector<api::Tag> tags;
};

struct Folder {
    std::string create_time, folder_id, folder_name, parent_folder_id;
};
constexpr api::Field<Folder> folder_fields[] = {
    api::field<&Folder::create_time>("CreateTime"),
    api::field<&Folder::folder_id>("FolderId"),
    api::field<&Folder::folder_name>("FolderName"),
    api::field<&Folder::parent_folder_id>("ParentFolderId"),
};

struct Answer {
    Folder folder;
};

constexpr api::Rule folder_name_rule{.says = "1 to 24 letters, digits, _ . - or Chinese characters",
                                     .length = {1, 24},
                                     .alphabet = api::Alphabet("a-zA-Z0-9_.-").and_beyond_ascii(),
                                     .refused_as = &fault::invalid_folder_name,
                                     .wrong_length_as = &fault::folder_name_length,
                                     .empty_as = &fault::missing_folder_name};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "CreateFolder",
    .summary = "Creates a folder in the resource directory.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::write,
    .action = "resourcemanager:CreateFolder",
    .resource = api::folder_in_tree<&Request::parent_folder_id>,
    .callers = api::Callers::management,
    .rate = api::per_second(20),
    .parameters{
        api::required<&Request::folder_name>("FolderName", folder_name_rule),
        api::optional<&Request::parent_folder_id>("ParentFolderId", folder_id_rule),
        api::optional<&Request::tags>("Tag.N", api::tag_fields).at_most(20).only(api::master_2022),
    },
    .answer = {api::field<&Answer::folder>("Folder", folder_fields)},
    .faults = {fault::folder_name_already_used, fault::folder_not_exists, fault::folder_depth_exceeded, fault::folder_quota_exceeded},
    .run = run,
};

Answer run(const Request& request, api::Call& call) {
    const auto parent = folder_or_root(call, request.parent_folder_id);
    if (!parent) throw operation.fault(fault::folder_not_exists);
    if (parent->depth >= base::folder_depth) throw operation.fault(fault::folder_depth_exceeded);
    const auto quota = call.settings.quotas.folders;
    if (quota != 0 && store::load_directory(call.transaction, parent->directory_id).folder_count >= quota) throw operation.fault(fault::folder_quota_exceeded);
    store::Folder folder{.folder_id = base::identifier("fd-", 10), .folder_name = request.folder_name, .created_at_ms = call.now_ms};
    if (!store::insert_folder(call.transaction, *parent, folder)) throw operation.fault(fault::folder_name_already_used);
    for (const auto& tag : request.tags) store::put_tag(call.transaction, folder.directory_id, store::tagged_folder, folder.folder_id, tag.key, tag.value);
    call.concerns(api::folder_resource, folder.folder_id);
    return {.folder = {base::utc_milliseconds(folder.created_at_ms), folder.folder_id, folder.folder_name, parent->folder_id}};
}

}  // namespace

extern constinit const api::AnyOperation create_folder{operation};

}  // namespace openrd::operations::resource_directory
