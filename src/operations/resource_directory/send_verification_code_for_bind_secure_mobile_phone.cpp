// SendVerificationCodeForBindSecureMobilePhone sends a six-digit code to a phone, with which BindSecureMobilePhone binds it to a
// member. A second Send to the same phone repeats the same code; one to another phone supersedes it (verification.md 4).
#include "api/operation.hpp"
#include "base/identifiers.hpp"
#include "base/time_text.hpp"
#include "keys/ring.hpp"
#include "operations/resource_directory/rules.hpp"
#include "operations/resource_directory/secure_phone.hpp"
#include "operations/resource_directory/send_limits.hpp"
#include "store/outbox.hpp"
#include "store/verifications.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    std::string account_id;
    phone::MobileNumber phone;
};
struct Answer {
    std::string expiration_date;
};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "SendVerificationCodeForBindSecureMobilePhone",
    .summary = "Sends a verification code to the phone that is to be bound to a member.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::write,
    .action = "resourcemanager:SendVerificationCodeForBindSecureMobilePhone",
    .resource = api::account_in_tree<&Request::account_id>,
    .callers = api::Callers::management_ram_identity,
    .holds = api::Holds::account,
    .parameters{
        api::required<&Request::account_id>("AccountId", account_id_rule),
        api::required<&Request::phone>("SecureMobilePhone", mobile_number_rule),
    },
    .answer = {api::field<&Answer::expiration_date>("ExpirationDate")},
    .faults{
        fault::directory_already_exists,
        fault::invalid_mobile_country_code,
        fault::account_in_another_directory,
        fault::send_limit_exceeded,
        fault::account_secure_mobile_already_exists.beyond("decisions.md D.5"),
        fault::account_type_mismatch.beyond("decisions.md D.5"),
        fault::enterprise_verification_error.beyond("decisions.md D.4"),
        fault::invalid_enterprise_name.beyond("decisions.md D.4"),
        fault::account_not_exists.beyond("decisions.md D.5"),
        fault::invalid_secure_mobile_phone.beyond("decisions.md D.7"),
    },
    .run = run,
};

// Zero when it is over, or when it takes an operator to end it.
std::int64_t seconds_until(std::int64_t at_ms, std::int64_t now_ms) { return at_ms > now_ms && at_ms < store::locked_for_good_ms ? (at_ms - now_ms + 999) / 1000 : 0; }

void check_limits(const store::Verification& v, const api::Call& call) {
    const auto codes = call.settings.codes.capped();
    const auto& strict = call.settings.strict;
    if (v.locked(call.now_ms, codes)) throw operation.fault(fault::send_limit_exceeded).after(seconds_until(v.locked_until_ms, call.now_ms));
    // A code whose attempts are used up cannot be refilled by another Send, to whatever number.
    if (v.exhausted(call.now_ms)) throw operation.fault(fault::send_limit_exceeded).after(seconds_until(v.expires_at_ms, call.now_ms));
    const auto today = base::day_of_utc8(call.now_ms);
    if (v.day == today && v.sends_of_day >= codes.sends_per_member_and_day)
        throw operation.fault(fault::send_limit_exceeded).after(seconds_until((today + 1) * base::day_ms - 8 * base::hour_ms, call.now_ms));
    // Without an interval nothing is compared: of two that came at once, the one that waited has the earlier clock.
    if (strict.resend_interval_ms != 0 && v.last_sent_at_ms + strict.resend_interval_ms > call.now_ms)
        throw operation.fault(fault::send_limit_exceeded).after(seconds_until(v.last_sent_at_ms + strict.resend_interval_ms, call.now_ms));
    if (strict.sends_per_code != 0 && v.pending(call.now_ms) && v.sends >= strict.sends_per_code)
        throw operation.fault(fault::send_limit_exceeded).after(seconds_until(v.expires_at_ms, call.now_ms));
}

// The code that this Send sends: the one under way, or a new one.
void choose_code(store::Verification& v, const std::string& phone_index, const Request& request, api::Call& call) {
    const auto codes = call.settings.codes.capped();
    const bool under_way = v.pending(call.now_ms);
    const bool same_phone = call.ring.index_matches(v.phone_index, request.phone.reveal_e164());
    if (under_way && same_phone && v.expires_at_ms - call.now_ms >= codes.renew_below_ms) return;
    v.verification_id = base::random_bytes(16);
    v.code_key_id = call.ring.code_key_id();
    v.phone_index = phone_index;
    v.phone_sealed = call.ring.seal(keys::Purpose::phone, request.phone.reveal(), request.account_id);
    v.state = store::verification_pending;
    v.attempts = under_way && same_phone ? v.attempts : 0;  // a code renewed shortly before its end inherits what was tried
    v.max_attempts = codes.attempts;
    v.sends = 0;
    v.created_by = call.caller.arn;
    v.created_at_ms = call.now_ms;
    v.expires_at_ms = call.now_ms + codes.lifetime_ms;
    note_code(call, request.phone, v.verification_id, v.expires_at_ms);
}

Answer run(const Request& request, api::Call& call) {
    call.concerns(api::account_resource, request.account_id);
    const auto [member, manager_email, range_unknown] = phone_target(call, request.account_id, request.phone);
    auto verification = store::find_verification(call.transaction, member.account_id, store::purpose_bind)
                            .value_or(store::Verification{.account_id = member.account_id, .directory_id = member.directory_id});
    // Never sent: far enough back that no interval holds.
    if (verification.sends_of_day == 0 && verification.created_at_ms == 0) verification.last_sent_at_ms = INT64_MIN / 2;
    check_limits(verification, call);
    check_brake(call, request.phone);
    count_send(call, {member.account_id, request.phone, range_unknown});

    choose_code(verification, call.ring.blind_index(request.phone.reveal_e164()), request, call);
    const auto today = base::day_of_utc8(call.now_ms);
    verification.directory_id = member.directory_id;
    verification.sends_of_day = verification.day == today ? verification.sends_of_day + 1 : 1;
    verification.day = today;
    verification.sends += 1;
    verification.last_sent_at_ms = call.now_ms;
    store::put_verification(call.transaction, verification);

    const auto message_id = base::request_id();
    store::insert_message(call.transaction, {.account_id = member.account_id,
                                             .message_id = message_id,
                                             .purpose = std::string(store::purpose_bind),
                                             .verification_id = verification.verification_id,
                                             .code_key_id = verification.code_key_id,
                                             .phone_sealed = call.ring.seal(keys::Purpose::outbox, request.phone.reveal(), message_id),
                                             .not_before_ms = call.now_ms,
                                             .expires_at_ms = verification.expires_at_ms,
                                             .created_at_ms = call.now_ms});
    return {base::utc_milliseconds(verification.expires_at_ms)};
}

}  // namespace

extern constinit const api::AnyOperation send_verification_code_for_bind_secure_mobile_phone{operation};

}  // namespace openrd::operations::resource_directory
