// CreateResourceAccount makes a member of the kind whose root user is disabled, in one step.
#include "api/operation.hpp"
#include "api/tags.hpp"
#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "operations/resource_directory/folder_of.hpp"
#include "operations/resource_directory/rules.hpp"
#include "store/access_roles.hpp"
#include "store/accounts.hpp"
#include "store/members.hpp"
#include "store/tags.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    std::optional<std::string> account_name_prefix;
    std::string display_name;
    bool dry_run = false;
    std::string parent_folder_id;
    std::string payer_account_id;
    std::string resell_account_type = "resell";
    std::vector<api::Tag> tags;
};

struct Account {
    std::string account_id, account_name, display_name, folder_id, join_method, join_time, modify_time, directory_id, status, type;
};
constexpr api::Field<Account> account_fields[] = {
    api::field<&Account::account_id>("AccountId"),
    api::field<&Account::account_name>("AccountName"),
    api::field<&Account::display_name>("DisplayName"),
    api::field<&Account::folder_id>("FolderId"),
    api::field<&Account::join_method>("JoinMethod"),
    api::field<&Account::join_time>("JoinTime"),
    api::field<&Account::modify_time>("ModifyTime"),
    api::field<&Account::directory_id>("ResourceDirectoryId"),
    api::field<&Account::status>("Status"),
    api::field<&Account::type>("Type"),
};

struct Answer {
    std::optional<Account> account;  // not after a dry run
};

constexpr bool well_joined(std::string_view prefix) {
    const auto special = [](char c) { return c == '_' || c == '.' || c == '-'; };
    if (special(prefix.front()) || special(prefix.back())) return false;
    for (std::size_t i = 1; i < prefix.size(); ++i)
        if (special(prefix[i]) && special(prefix[i - 1])) return false;
    return true;
}
constexpr api::Rule prefix_rule{.says = "2 to 37 (China site: 50) letters, digits, _ . -, beginning and ending with a letter or digit, no two of _ . - together",
                                .length = {2, 50},
                                .alphabet = "a-zA-Z0-9_.-",
                                .holds = well_joined,
                                .refused_as = &fault::invalid_account_name_prefix,
                                .wrong_length_as = &fault::account_name_prefix_length};
constexpr api::Rule display_name_rule{.says = "2 to 50 letters, digits, Chinese characters, _ . - or spaces",
                                      .length = {2, 50},
                                      .alphabet = api::Alphabet("a-zA-Z0-9_. -").and_beyond_ascii(),
                                      .refused_as = &fault::invalid_display_name,
                                      .wrong_length_as = &fault::display_name_length,
                                      .empty_as = &fault::missing_display_name};
constexpr api::Rule payer_rule{.says = "16 digits; the member itself when left out", .length = {16, 16}, .alphabet = "0-9"};
constexpr api::Rule resell_rule{.says = "resell or non_resell", .one_of = {"resell", "non_resell"}};
constexpr std::size_t international_prefix_most = 37;

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "CreateResourceAccount",
    .summary = "Creates a member of the type resource account.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::write,
    .action = "resourcemanager:CreateResourceAccount",
    .resource = {api::every_account_of<Request>, api::folder_in_tree<&Request::parent_folder_id>},
    .callers = api::Callers::management,
    .parameters{
        api::optional<&Request::account_name_prefix>("AccountNamePrefix", prefix_rule),
        api::required<&Request::display_name>("DisplayName", display_name_rule),
        api::optional<&Request::dry_run>("DryRun").only(api::master_2022),
        api::optional<&Request::parent_folder_id>("ParentFolderId", folder_id_rule),
        api::optional<&Request::payer_account_id>("PayerAccountId", payer_rule),
        api::optional<&Request::resell_account_type>("ResellAccountType", resell_rule),
        api::optional<&Request::tags>("Tag.N", api::tag_fields).at_most(20),
    },
    .answer = {api::field<&Answer::account>("Account", account_fields)},
    .faults{
        fault::display_name_already_used,
        fault::account_name_prefix_length,
        fault::account_name_already_exists,
        fault::folder_not_exists,
        fault::limit_exceeded_account,
        fault::payer_in_another_directory,
        fault::not_support_resell_account_type.only(api::master_2022),
    },
    .run = run,
};

bool may_pay(api::Call& call, const std::string& payer) {
    return payer.empty() || payer == call.caller.account_id || store::find_member(call.transaction, call.caller.directory_id, payer).has_value();
}

Answer run(const Request& request, api::Call& call) {
    // Reselling is a contract with the vendor, which nobody has here: its default is what everybody may say.
    if (call.version == api::master_2022 && request.resell_account_type != "resell") throw operation.fault(fault::not_support_resell_account_type);
    if (request.account_name_prefix && call.settings.site == base::Site::international && request.account_name_prefix->size() > international_prefix_most)
        throw operation.fault(fault::account_name_prefix_length);
    const auto folder = folder_or_root(call, request.parent_folder_id);
    if (!folder) throw operation.fault(fault::folder_not_exists);
    if (!may_pay(call, request.payer_account_id)) throw operation.fault(fault::payer_in_another_directory);
    const auto quota = call.settings.quotas.members;
    if (quota != 0 && store::load_directory(call.transaction, folder->directory_id).member_count >= quota) throw operation.fault(fault::limit_exceeded_account);
    if (request.dry_run) return {};

    const auto account_id = base::random_digits(16);
    const auto prefix = request.account_name_prefix.value_or("rd" + base::ascii_lower(base::identifier({}, 10)));
    store::Member member{.directory_id = folder->directory_id,
                         .account_id = account_id,
                         .folder_id = folder->folder_id,
                         .account_name = prefix + "@" + base::ascii_lower(folder->directory_id) + ".aliyunid.com",
                         .display_name = request.display_name,
                         .joined_at_ms = call.now_ms,
                         .modified_at_ms = call.now_ms,
                         .payer_account_id = request.payer_account_id.empty() ? account_id : request.payer_account_id,
                         .resell_account_type = request.resell_account_type};
    switch (store::insert_member(call.transaction, member)) {
        case store::NewMember::inserted:
            break;
        case store::NewMember::display_name_taken:
            throw operation.fault(fault::display_name_already_used);
        case store::NewMember::account_name_taken:
            throw operation.fault(fault::account_name_already_exists);
    }
    store::insert_account(call.transaction, {.account_id = account_id,
                                             .account_name = member.account_name,
                                             .display_name = member.display_name,
                                             .email = member.account_name,
                                             .site = call.settings.site == base::Site::china ? "china" : "international",
                                             .standing = std::string(store::standing_member),
                                             .directory_id = member.directory_id,
                                             .root_enabled = false,
                                             .created_at_ms = call.now_ms});
    store::insert_member_roles(call.transaction, account_id, call.caller.account_id, call.now_ms);
    for (const auto& tag : request.tags) store::put_tag(call.transaction, member.directory_id, store::tagged_account, account_id, tag.key, tag.value);
    call.concerns(api::account_resource, account_id);
    const auto time = base::utc_milliseconds(call.now_ms);
    return {Account{account_id, member.account_name, member.display_name, member.folder_id, member.join_method, time, time, member.directory_id, member.status, member.type}};
}

}  // namespace

extern constinit const api::AnyOperation create_resource_account{operation};

}  // namespace openrd::operations::resource_directory
