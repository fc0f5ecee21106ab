// EnableResourceDirectory makes the calling account the management account of a new directory. Only EnableMode CurrentAccount:
// the other one, which makes a new account, needs the codes of SendVerificationCodeForEnableRD.
#include "api/operation.hpp"
#include "base/identifiers.hpp"
#include "base/secret.hpp"
#include "base/time_text.hpp"
#include "operations/resource_directory/rules.hpp"
#include "phone/mobile_number.hpp"
#include "store/access_roles.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"

namespace openrd::operations::resource_directory {
namespace {

enum class Mode : std::uint8_t { current_account, new_management_account };
constexpr auto wire_names(Mode) { return api::names<Mode>({{Mode::current_account, "CurrentAccount"}, {Mode::new_management_account, "NewManagementAccount"}}); }

struct Request {
    bool dry_run = false;
    Mode mode = Mode::current_account;
    std::string management_account_name;
    std::optional<phone::MobileNumber> phone;
    std::optional<base::Secret> code;
};

struct Directory {
    std::string create_time, management_account_id, management_account_name, directory_id, root_folder_id;
};
constexpr api::Field<Directory> directory_fields[] = {
    api::field<&Directory::create_time>("CreateTime"),
    api::field<&Directory::management_account_id>("MasterAccountId"),
    api::field<&Directory::management_account_name>("MasterAccountName"),
    api::field<&Directory::directory_id>("ResourceDirectoryId"),
    api::field<&Directory::root_folder_id>("RootFolderId"),
};

struct Answer {
    std::optional<Directory> directory;  // not after a dry run
};

constexpr api::Rule mode_rule{.says = "CurrentAccount or NewManagementAccount"};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "EnableResourceDirectory",
    .summary = "Enables a resource directory whose management account is the caller's.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::write,
    .action = "resourcemanager:EnableResourceDirectory",
    .resource = api::everything,
    .callers = api::Callers::any_account,
    .parameters{
        api::optional<&Request::dry_run>("DryRun").only(api::master_2022),
        api::required<&Request::mode>("EnableMode", mode_rule),
        api::optional<&Request::management_account_name>("MAName"),
        api::optional<&Request::phone>("MASecureMobilePhone"),
        api::optional<&Request::code>("VerificationCode"),
    },
    .answer = {api::field<&Answer::directory>("ResourceDirectory", directory_fields)},
    .faults{
        fault::enterprise_verification_error,
        fault::directory_already_exists,
        fault::invalid_enterprise_name,
        fault::missing_security_info,
        fault::account_in_another_directory,
        fault::unsupported_operation.beyond("docs/decisions/0005-enable-mode.md"),
    },
    .run = run,
};

Answer run(const Request& request, api::Call& call) {
    const auto account = store::find_account(call.transaction, call.caller.account_id);
    if (!account) throw db::Error(db::Trouble::damaged, "a caller's account is not there");
    if (account->standing == store::standing_management) throw operation.fault(fault::directory_already_exists);
    if (account->standing == store::standing_member) throw operation.fault(fault::account_in_another_directory);
    if (account->enterprise_name.empty()) throw operation.fault(fault::invalid_enterprise_name);
    if (account->enterprise_state != store::enterprise_verified) throw operation.fault(fault::enterprise_verification_error);
    if (!account->phone_sealed && account->email.empty()) throw operation.fault(fault::missing_security_info);
    if (request.mode == Mode::new_management_account) throw operation.fault(fault::unsupported_operation);
    if (request.dry_run) return {};

    const store::Directory directory{
        .directory_id = base::identifier("rd-", 6), .management_account_id = account->account_id, .root_folder_id = base::identifier("r-", 6), .created_at_ms = call.now_ms};
    store::insert_directory(call.transaction, directory);
    store::insert_service_linked_role(call.transaction, account->account_id, call.now_ms);
    call.concerns(api::directory_resource, directory.directory_id);
    return {Directory{base::utc_milliseconds(directory.created_at_ms), account->account_id, account->account_name, directory.directory_id, directory.root_folder_id}};
}

}  // namespace

extern constinit const api::AnyOperation enable_resource_directory{operation};

}  // namespace openrd::operations::resource_directory
