// GetResourceDirectory shows the caller's directory: the one it manages, or the one it is a member of.
#include "api/operation.hpp"
#include "base/time_text.hpp"
#include "operations/resource_directory/rules.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"

namespace openrd::operations::resource_directory {
namespace {

using Request = api::Nothing;

struct Directory {
    std::string control_policy_status;
    std::string create_time;
    std::string identity_information;
    std::string management_account_id;
    std::string management_account_name;
    std::string display_name_sync_status;
    std::string member_deletion_status;
    std::string directory_id;
    std::string root_folder_id;
};
constexpr api::Field<Directory> directory_fields[] = {
    api::field<&Directory::control_policy_status>("ControlPolicyStatus"),
    api::field<&Directory::create_time>("CreateTime"),
    api::field<&Directory::identity_information>("IdentityInformation"),
    api::field<&Directory::management_account_id>("MasterAccountId"),
    api::field<&Directory::management_account_name>("MasterAccountName"),
    api::field<&Directory::display_name_sync_status>("MemberAccountDisplayNameSyncStatus").only(api::master_2022),
    api::field<&Directory::member_deletion_status>("MemberDeletionStatus"),
    api::field<&Directory::directory_id>("ResourceDirectoryId"),
    api::field<&Directory::root_folder_id>("RootFolderId"),
};

struct Answer {
    Directory directory;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "GetResourceDirectory",
    .summary = "Shows the resource directory that the caller manages or is a member of.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::read,
    .action = "resourcemanager:GetResourceDirectory",
    .resource = api::everything,
    .callers = api::Callers::directory_account,
    .rate = api::per_second(50),
    .answer = {api::field<&Answer::directory>("ResourceDirectory", directory_fields)},
    .run = run,
};

// "*** Enterprise" of "Sandbox Enterprise": the vendor shows the verified name without its beginning.
std::string masked_name(std::string_view name) {
    std::size_t cut = name.size() / 2;
    while (cut < name.size() && (static_cast<unsigned char>(name[cut]) & 0xC0) == 0x80) ++cut;
    return "***" + std::string(name.substr(cut));
}

Answer run(const Request&, api::Call& call) {
    const auto directory = store::load_directory(call.transaction, call.caller.directory_id);
    const auto manager = store::find_account(call.transaction, directory.management_account_id);
    if (!manager) throw db::Error(db::Trouble::damaged, "a directory names a management account that is not there");
    return {.directory = {.control_policy_status = directory.control_policy_status,
                          .create_time = base::utc_milliseconds(directory.created_at_ms),
                          .identity_information = masked_name(manager->enterprise_name),
                          .management_account_id = manager->account_id,
                          .management_account_name = manager->account_name,
                          .display_name_sync_status = directory.display_name_sync_status,
                          .member_deletion_status = directory.member_deletion_status,
                          .directory_id = directory.directory_id,
                          .root_folder_id = directory.root_folder_id}};
}

}  // namespace

extern constinit const api::AnyOperation get_resource_directory{operation};

}  // namespace openrd::operations::resource_directory
