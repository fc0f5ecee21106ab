#include "openrd/init.hpp"

#include "api/call.hpp"
#include "base/clock.hpp"
#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "openrd/config.hpp"
#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "store/access_keys.hpp"
#include "store/access_roles.hpp"
#include "store/accounts.hpp"
#include "store/directories.hpp"
#include "store/identities.hpp"
#include "store/policies.hpp"
#include "wire/json_writer.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace openrd {
namespace {

constexpr std::string_view user_name = "admin", policy = "AdministratorAccess";

void check_name(std::string_view flag, const std::string& text) {
    if (text.empty() || text.size() > 256 || !base::is_clean_utf8(text)) throw Failure(fmt::format("{}: a text of 1 to 256 bytes", flag));
}

struct First {
    std::string account_id = base::random_digits(16);
    std::string user_id = base::random_digits(18);
    std::string directory_id = base::identifier("rd-", 6), root_folder_id = base::identifier("r-", 6);
    std::string access_key_id = base::identifier("LTAI5t", 18);
    base::Secret secret{base::identifier({}, 30)};
};

void insert_account(db::Transaction& tx, const InitCommand& command, const First& first, std::int64_t now_ms, base::Site site) {
    store::insert_account(tx, {.account_id = first.account_id,
                               .account_name = command.email.empty() ? command.account_name : command.email,
                               .display_name = command.account_name,
                               .email = command.email,
                               .site = site == base::Site::china ? "china" : "international",
                               .enterprise_name = command.enterprise_name,
                               .enterprise_state = std::string(store::enterprise_verified),
                               .created_at_ms = now_ms});
    record(tx,
           {.account_id = first.account_id,
            .name = "CreateAccount",
            .resource_type = api::account_resource,
            .resource = first.account_id,
            .parameters = {{"AccountId", first.account_id}, {"DisplayName", command.account_name}, {"EnterpriseName", command.enterprise_name}}},
           now_ms);
}

void insert_directory(db::Transaction& tx, const First& first, std::int64_t now_ms) {
    store::insert_directory(tx, {.directory_id = first.directory_id, .management_account_id = first.account_id, .root_folder_id = first.root_folder_id, .created_at_ms = now_ms});
    store::insert_service_linked_role(tx, first.account_id, now_ms);
    record(tx,
           {.account_id = first.account_id,
            .name = "EnableResourceDirectory",
            .resource_type = api::directory_resource,
            .resource = first.directory_id,
            .parameters = {{"AccountId", first.account_id}}},
           now_ms);
}

void insert_user(db::Transaction& tx, const keys::Ring& ring, const First& first, std::int64_t now_ms) {
    store::insert_user(tx, {.account_id = first.account_id, .user_id = first.user_id, .user_name = std::string(user_name), .created_at_ms = now_ms});
    store::attach_policy(tx, first.account_id, store::principal_user, first.user_id, store::policy_of_system, policy, now_ms);
    store::insert_access_key(tx, {.access_key_id = first.access_key_id,
                                  .account_id = first.account_id,
                                  .user_id = first.user_id,
                                  .secret_sealed = ring.seal(keys::Purpose::access_key_secret, first.secret.reveal(), first.access_key_id),
                                  .created_at_ms = now_ms});
    record(tx,
           {.account_id = first.account_id,
            .name = "CreateAccessKey",
            .resource_type = "ACS::RAM::AccessKey",
            .resource = first.access_key_id,
            .parameters = {{"AccountId", first.account_id}, {"UserName", std::string(user_name)}, {"Policies", std::string(policy)}, {"AccessKeyId", first.access_key_id}}},
           now_ms);
}

}  // namespace

int init(const InitCommand& command) {
    check_name("--account-name", command.account_name);
    check_name("--enterprise-name", command.enterprise_name);
    if (!command.email.empty()) check_name("--email", command.email);
    auto config = read_config(command.config);
    if (!command.key_file.empty()) config.place.key_file = command.key_file;
    const First first;
    const auto& settings = config.serve.settings;
    make_data(config.place, settings, [&](db::Transaction& tx, const keys::Ring& ring) {
        const auto now_ms = base::real_now_ms();
        insert_account(tx, command, first, now_ms, settings.site);
        insert_directory(tx, first, now_ms);
        insert_user(tx, ring, first, now_ms);
    });
    std::string line;
    wire::JsonWriter w(line);
    w.begin_answer({});
    w.text("AccountId", first.account_id), w.text("ResourceDirectoryId", first.directory_id), w.text("UserName", user_name);
    w.text("AccessKeyId", first.access_key_id), w.text("AccessKeySecret", first.secret.reveal());
    w.end_answer({});
    const bool printed = std::puts(line.c_str()) >= 0 && std::fflush(stdout) == 0;
    base::wipe(line);
    if (!printed)
        throw Failure(fmt::format("the account {} was made, but its AccessKey pair could not be printed: make another with openrd account create-access-key {} --user {}",
                                  first.account_id, first.account_id, user_name),
                      refused_status);
    return 0;
}

}  // namespace openrd
