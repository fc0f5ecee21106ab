#include "operations/resource_directory/secure_phone.hpp"

#include "api/faults.hpp"
#include "phone/numbering.hpp"
#include "store/accounts.hpp"

#include <algorithm>

namespace openrd::operations::resource_directory {
namespace {

using api::Fault;

store::Account check_enterprise(api::Call& call) {
    auto manager = store::find_account(call.transaction, call.caller.account_id);
    if (!manager || manager->enterprise_name.empty()) throw Fault(fault::invalid_enterprise_name);
    if (manager->enterprise_state != store::enterprise_verified) throw Fault(fault::enterprise_verification_error);
    return *std::move(manager);
}

store::Member find_target(api::Call& call, const std::string& account_id) {
    if (account_id == call.caller.account_id) throw Fault(fault::directory_already_exists);
    auto member = store::find_member(call.transaction, call.caller.directory_id, account_id);
    if (!member) {
        const auto account = store::find_account(call.transaction, account_id);
        if (!account || account->standing == store::standing_none) throw Fault(fault::account_not_exists);
        throw Fault(fault::account_in_another_directory);
    }
    // Being promoted, removed or deleted: verification.md 4 cancels what is pending, and nothing new begins.
    const bool settled = member->status == "CreateSuccess" || member->status == "PromoteSuccess" || member->status == "InviteSuccess";
    if (member->type != store::resource_account || !settled || member->deletion_status) throw Fault(fault::account_type_mismatch);
    if (member->phone_sealed) throw Fault(fault::account_secure_mobile_already_exists);
    return *std::move(member);
}

bool listed(const std::vector<std::string>& codes, std::string_view code) { return std::ranges::find(codes, code) != codes.end(); }

void check_country(const api::Call& call, const phone::MobileNumber& phone) {
    const bool chinese = phone.calling_code() == "86";
    if (chinese != (call.settings.site == base::Site::china)) throw Fault(fault::invalid_mobile_country_code);
    const auto& strict = call.settings.strict;
    if (strict.countries_by_list && !listed(strict.countries, phone.calling_code())) throw Fault(fault::invalid_mobile_country_code);
}

}  // namespace

PhoneTarget phone_target(api::Call& call, const std::string& account_id, const phone::MobileNumber& phone) {
    auto manager = check_enterprise(call);
    auto member = find_target(call, account_id);
    check_country(call, phone);
    const auto verdict = call.numbering.check(phone);
    const bool range_unknown = verdict == phone::Verdict::unknown_range && listed(call.settings.unknown_ranges, phone.calling_code());
    if (verdict != phone::Verdict::mobile && !range_unknown) throw Fault(fault::invalid_secure_mobile_phone);
    return {.member = std::move(member), .manager_email = std::move(manager.email), .range_unknown = range_unknown};
}

}  // namespace openrd::operations::resource_directory
