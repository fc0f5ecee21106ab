// GetAccount shows one member. The newer version also says whether a secure phone is bound, and shows it masked.
#include "api/operation.hpp"
#include "api/tags.hpp"
#include "base/time_text.hpp"
#include "keys/ring.hpp"
#include "operations/resource_directory/member_list.hpp"
#include "operations/resource_directory/rules.hpp"
#include "phone/mobile_number.hpp"
#include "store/accounts.hpp"
#include "store/folders.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    std::string account_id;
    bool include_tags = false;
};

struct Account {
    std::string account_id;
    std::string account_name;
    std::string display_name;
    std::optional<std::string> email_status;
    std::string folder_id;
    bool has_phone = false;
    std::optional<std::string> identity_information;
    std::string join_method;
    std::string join_time;
    std::string location;
    std::string modify_time;
    std::string directory_id;
    std::string path;
    std::optional<std::string> phone;
    std::string status;
    std::optional<std::vector<api::Tag>> tags;
    std::string type;
};
constexpr api::Field<Account> account_fields[] = {
    api::field<&Account::account_id>("AccountId"),
    api::field<&Account::account_name>("AccountName"),
    api::field<&Account::display_name>("DisplayName"),
    api::field<&Account::email_status>("EmailStatus"),
    api::field<&Account::folder_id>("FolderId"),
    api::field<&Account::has_phone>("HasSecureMobilePhone").only(api::master_2022),
    api::field<&Account::identity_information>("IdentityInformation"),
    api::field<&Account::join_method>("JoinMethod"),
    api::field<&Account::join_time>("JoinTime"),
    api::field<&Account::location>("Location"),
    api::field<&Account::modify_time>("ModifyTime"),
    api::field<&Account::directory_id>("ResourceDirectoryId"),
    api::field<&Account::path>("ResourceDirectoryPath"),
    api::field<&Account::phone>("SecureMobilePhone").only(api::master_2022),
    api::field<&Account::status>("Status"),
    api::field<&Account::tags>("Tags[]", api::tag_fields),
    api::field<&Account::type>("Type"),
};

struct Answer {
    Account account;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "GetAccount",
    .summary = "Shows one member of the resource directory.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::read,
    .action = "resourcemanager:GetAccount",
    .resource = api::account_in_tree<&Request::account_id>,
    .callers = api::Callers::management_or_delegated,
    .parameters{
        api::required<&Request::account_id>("AccountId", given_account_id_rule),
        api::optional<&Request::include_tags>("IncludeTags"),
    },
    .answer = {api::field<&Answer::account>("Account", account_fields)},
    .faults = {fault::account_not_exists},
    .run = run,
};

// root/workloads/blue: the names from Root down. The RDPath has the ids: <directory>/<root>/<folder>.../<account>.
std::string location_of(api::Call& call, const store::Member& member) {
    std::string location = "root";
    std::string_view rest = member.path;
    for (int skipped = 0; skipped < 2; ++skipped) rest.remove_prefix(std::min(rest.size(), rest.find('/') + 1));
    for (auto slash = rest.find('/'); slash != rest.npos; slash = rest.find('/')) {
        if (const auto folder = store::find_folder(call.transaction, member.directory_id, rest.substr(0, slash))) location += "/" + folder->folder_name;
        rest.remove_prefix(slash + 1);
    }
    return location;
}

std::optional<std::string> masked_phone(const api::Call& call, const store::Member& member) {
    if (!member.phone_sealed) return {};
    const auto opened = call.ring.open(keys::Purpose::phone, *member.phone_sealed, member.account_id);
    const auto number = opened ? phone::MobileNumber::parse(opened->reveal()) : std::nullopt;
    return number ? std::optional(number->masked()) : std::nullopt;
}

Answer run(const Request& request, api::Call& call) {
    const auto member = store::find_member(call.transaction, call.caller.directory_id, request.account_id);
    if (!member) throw operation.fault(fault::account_not_exists);
    Answer answer{.account = {.account_id = member->account_id,
                              .account_name = member->account_name,
                              .display_name = member->display_name,
                              .email_status = member->email_status,
                              .folder_id = member->folder_id,
                              .has_phone = member->phone_sealed.has_value(),
                              .join_method = member->join_method,
                              .join_time = base::utc_milliseconds(member->joined_at_ms),
                              .location = location_of(call, *member),
                              .modify_time = base::utc_milliseconds(member->modified_at_ms),
                              .directory_id = member->directory_id,
                              .path = member->path,
                              .status = member->status,
                              .type = member->type}};
    if (call.version == api::master_2022) answer.account.phone = masked_phone(call, *member);
    if (request.include_tags) answer.account.tags = wire_tags(call, store::tagged_account, member->account_id);
    return answer;
}

}  // namespace

extern constinit const api::AnyOperation get_account{operation};

}  // namespace openrd::operations::resource_directory
