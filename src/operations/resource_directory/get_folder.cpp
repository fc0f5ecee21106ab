// GetFolder shows one folder; Root has no parent.
#include "api/operation.hpp"
#include "base/time_text.hpp"
#include "operations/resource_directory/rules.hpp"
#include "store/folders.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    std::string folder_id;
};

struct Folder {
    std::string create_time;
    std::string folder_id;
    std::string folder_name;
    std::optional<std::string> parent_folder_id;
    std::string path;
};
constexpr api::Field<Folder> folder_fields[] = {
    api::field<&Folder::create_time>("CreateTime"),          api::field<&Folder::folder_id>("FolderId"),         api::field<&Folder::folder_name>("FolderName"),
    api::field<&Folder::parent_folder_id>("ParentFolderId"), api::field<&Folder::path>("ResourceDirectoryPath"),
};

struct Answer {
    Folder folder;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "GetFolder",
    .summary = "Shows one folder of the resource directory.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::read,
    .action = "resourcemanager:GetFolder",
    .resource = api::folder_in_tree<&Request::folder_id>,
    .callers = api::Callers::management_or_delegated,
    .parameters = {api::required<&Request::folder_id>("FolderId", folder_id_rule)},
    .answer = {api::field<&Answer::folder>("Folder", folder_fields)},
    .faults = {fault::folder_not_exists},
    .run = run,
};

Answer run(const Request& request, api::Call& call) {
    const auto folder = store::find_folder(call.transaction, call.caller.directory_id, request.folder_id);
    if (!folder) throw operation.fault(fault::folder_not_exists);
    return {.folder = {.create_time = base::utc_milliseconds(folder->created_at_ms),
                       .folder_id = folder->folder_id,
                       .folder_name = folder->folder_name,
                       .parent_folder_id = folder->parent_folder_id,
                       .path = folder->path}};
}

}  // namespace

extern constinit const api::AnyOperation get_folder{operation};

}  // namespace openrd::operations::resource_directory
