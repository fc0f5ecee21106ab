#include "operations/resource_directory/secure_phone.hpp"

#include "api/faults.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "keys/ring.hpp"
#include "phone/numbering.hpp"
#include "store/accounts.hpp"
#include "store/rates.hpp"

#include <algorithm>
#include <array>

namespace openrd::operations::resource_directory {
namespace {

using api::Fault;

void check_enterprise(api::Call& call) {
    const auto manager = store::find_account(call.transaction, call.caller.account_id);
    if (!manager || manager->enterprise_name.empty()) throw Fault(fault::invalid_enterprise_name);
    if (manager->enterprise_state != store::enterprise_verified) throw Fault(fault::enterprise_verification_error);
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

void check_country(const api::Call& call, const phone::MobileNumber& phone) {
    const bool chinese = phone.calling_code() == "86";
    if (chinese != (call.settings.site == base::Site::china)) throw Fault(fault::invalid_mobile_country_code);
    const auto& strict = call.settings.strict;
    if (strict.countries_by_list && std::ranges::find(strict.countries, phone.calling_code()) == strict.countries.end()) throw Fault(fault::invalid_mobile_country_code);
}

struct Window {
    std::string bucket;
    std::uint32_t limit;   // 0: none
    std::int64_t size_ms;  // an hour, or a day from 00:00 UTC+8
};

std::int64_t begin_of(const Window& w, std::int64_t now_ms) {
    return w.size_ms == base::day_ms ? base::day_of_utc8(now_ms) * base::day_ms - 8 * base::hour_ms : now_ms / w.size_ms * w.size_ms;
}

// Buckets are named by blind indexes: a number is in no table in clear.
std::string phone_bucket(const api::Call& call, std::string_view kind, std::string_view e164) { return std::string(kind) + base::hex(call.ring.blind_index(e164)); }

std::array<Window, 2> guess_windows(const api::Call& call, const phone::MobileNumber& phone) {
    const auto& s = call.settings.strict;
    return {Window{"wrong-directory:" + call.caller.directory_id, s.wrong_per_directory_day, base::day_ms},
            Window{phone_bucket(call, "wrong-phone:", phone.reveal_e164()), s.wrong_per_phone_day, base::day_ms}};
}

}  // namespace

store::Member phone_target(api::Call& call, const std::string& account_id, const phone::MobileNumber& phone) {
    check_enterprise(call);
    auto member = find_target(call, account_id);
    check_country(call, phone);
    if (call.numbering.check(phone) != phone::Verdict::mobile) throw Fault(fault::invalid_secure_mobile_phone);
    return member;
}

void count_send(api::Call& call, const std::string& account_id, const phone::MobileNumber& phone) {
    const auto& s = call.settings.strict;
    const auto e164 = phone.reveal_e164();
    const auto by_phone = phone_bucket(call, "phone:", e164);
    const auto by_prefix = phone_bucket(call, "prefix:", e164.substr(0, e164.size() - 4));
    std::vector<Window> windows{
        {"account-hour:" + account_id, s.per_target_hour, base::hour_ms},
        {"account-day:" + account_id, s.per_target_day, base::day_ms},
        {"all-day", s.system_day, base::day_ms},
        {"caller-hour:" + call.caller.arn, s.per_caller_hour, base::hour_ms},
        {"country-hour:" + std::string(phone.calling_code()), s.per_country_hour, base::hour_ms},
        {"directory-day:" + call.caller.directory_id, s.per_directory_day, base::day_ms},
        {"directory-hour:" + call.caller.directory_id, s.per_directory_hour, base::hour_ms},
        {by_phone + ":day", s.per_phone_day, base::day_ms},
        {by_phone + ":hour", s.per_phone_hour, base::hour_ms},
        {by_prefix + ":day", s.per_prefix_day, base::day_ms},
        {by_prefix + ":hour", s.per_prefix_hour, base::hour_ms},
        {"source-hour:" + std::string(call.source_address), s.per_source_hour, base::hour_ms},
    };
    std::erase_if(windows, [](const Window& w) { return w.limit == 0; });
    std::ranges::sort(windows, {}, &Window::bucket);  // one order everywhere, so that transactions cannot wait for each other in a circle
    for (const Window& w : windows) {
        const auto begin = begin_of(w, call.now_ms);
        if (!store::count_in_window(call.transaction, w.bucket, begin, begin + w.size_ms, w.limit))
            throw Fault(fault::send_limit_exceeded).after((begin + w.size_ms - call.now_ms + 999) / 1000);
    }
}

bool count_guess(api::Call& call, const phone::MobileNumber& phone) {
    bool admitted = true;
    for (const Window& w : guess_windows(call, phone)) {
        if (w.limit == 0) continue;
        const auto begin = begin_of(w, call.now_ms);
        admitted = store::count_in_window(call.transaction, w.bucket, begin, begin + w.size_ms, w.limit) && admitted;
    }
    return admitted;
}

void uncount_guess(api::Call& call, const phone::MobileNumber& phone) {
    for (const Window& w : guess_windows(call, phone))
        if (w.limit != 0) store::uncount_in_window(call.transaction, w.bucket, begin_of(w, call.now_ms));
}

}  // namespace openrd::operations::resource_directory
