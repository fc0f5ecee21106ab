// BindSecureMobilePhone sets a member's secure phone for the first time, given the code that was sent to that phone. It never
// replaces a bound phone. Why an attempt is counted before it is compared: docs/decisions/0003-count-then-compare.md.
#include "api/operation.hpp"
#include "base/identifiers.hpp"
#include "base/secret.hpp"
#include "keys/ring.hpp"
#include "operations/resource_directory/rules.hpp"
#include "operations/resource_directory/secure_phone.hpp"
#include "operations/resource_directory/send_limits.hpp"
#include "store/accounts.hpp"
#include "store/outbox.hpp"
#include "store/rates.hpp"
#include "store/verifications.hpp"

namespace openrd::operations::resource_directory {
namespace {

struct Request {
    std::string account_id;
    phone::MobileNumber phone;
    base::Secret code;
};
using Answer = api::Nothing;

// No rule: a malformed code answers as a wrong one does.
constexpr api::Rule code_rule{.says = "the six digits that were sent"};

Answer run(const Request&, api::Call&);

constexpr api::Operation<Request, Answer> operation{
    .name = "BindSecureMobilePhone",
    .summary = "Binds a secure mobile phone to a member, using the code sent to it.",
    .served_as = {api::manager_2020, api::master_2022},
    .effect = api::Effect::write,
    .action = "resourcemanager:BindSecureMobilePhone",
    .resource = api::account_in_tree<&Request::account_id>,
    .callers = api::Callers::management_ram_identity,
    .holds = api::Holds::account,
    .rate = api::per_second(20),
    .parameters{
        api::required<&Request::account_id>("AccountId", account_id_rule),
        api::required<&Request::phone>("SecureMobilePhone", mobile_number_rule),
        api::required<&Request::code>("VerificationCode", code_rule),
    },
    .faults{
        fault::account_secure_mobile_already_exists,
        fault::account_type_mismatch,
        fault::enterprise_verification_error,
        fault::directory_already_exists,
        fault::invalid_enterprise_name,
        fault::invalid_verification_code,
        fault::account_in_another_directory_of_bind,
        fault::account_not_exists.beyond("decisions.md D.5"),
        fault::invalid_mobile_country_code.beyond("decisions.md D.6"),
        fault::invalid_secure_mobile_phone.beyond("decisions.md D.7"),
    },
    .run = run,
};

bool six_digits(std::string_view code) {
    return code.size() == 6 && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

// The name with which the root of a created member logs on looks like an address and is none.
bool is_mailbox(std::string_view email) { return email.find('@') != email.npos && !email.ends_with(".aliyunid.com"); }

// On another road than the phone, which may be in the wrong hands (docs/decisions/0029).
void queue_notice(api::Call& call, const PhoneTarget& target, const store::Attempt& attempt) {
    const auto account = store::find_account(call.transaction, target.member.account_id);
    const auto& email = account && is_mailbox(account->email) ? account->email : target.manager_email;
    if (!is_mailbox(email)) return;
    const auto message_id = base::request_id();
    store::insert_message(call.transaction, {.account_id = target.member.account_id,
                                             .message_id = message_id,
                                             .purpose = "phone-bound",
                                             .verification_id = attempt.verification_id,
                                             .code_key_id = attempt.code_key_id,
                                             .phone_sealed = call.ring.seal(keys::Purpose::outbox, email, message_id),
                                             .not_before_ms = call.now_ms,
                                             .expires_at_ms = call.now_ms + base::day_ms,
                                             .created_at_ms = call.now_ms});
}

Answer run(const Request& request, api::Call& call) {
    call.concerns(api::account_resource, request.account_id);
    const auto target = phone_target(call, request.account_id, request.phone);
    const auto& member = target.member;
    if (!six_digits(request.code.reveal())) throw operation.fault(fault::invalid_verification_code);

    const auto phone_index = call.ring.blind_index(request.phone.reveal_e164());
    std::optional<store::Attempt> counted;
    std::optional<Guess> guess;
    call.keep([&] {
        counted = store::count_attempt(call.transaction, member.account_id, store::purpose_bind, call.now_ms, call.settings.codes.capped());
        // Only a guess at a code that was sent to this phone counts against the phone: nobody can use up a stranger's guesses.
        if (!counted || !call.ring.index_matches(counted->phone_index, request.phone.reveal_e164())) return;
        guess = count_guess(call, request.phone);
        if (!guess) counted.reset();
    });
    // Without a code under way the same is computed of nothing, so that the time does not tell.
    const store::Attempt attempt = counted.value_or(store::Attempt{std::string(16, '\0'), call.ring.code_key_id(), std::string(phone_index.size(), '\0')});
    const auto code = call.ring.code(attempt.verification_id, member.account_id, store::purpose_bind, request.phone.reveal_e164(), static_cast<std::uint32_t>(attempt.code_key_id));
    const bool same_phone = call.ring.index_matches(attempt.phone_index, request.phone.reveal_e164());
    const bool same_code = code.same_as(request.code.reveal());
    if (!counted || !same_phone || !same_code) throw operation.fault(fault::invalid_verification_code);

    if (!store::consume_verification(call.transaction, member.account_id, store::purpose_bind, attempt.verification_id, call.now_ms))
        throw operation.fault(fault::invalid_verification_code);
    // That the phone is in use elsewhere shows only now, after possession was proved; the code stays good (decisions.md D.8).
    if (const auto most = call.settings.strict.accounts_per_phone;
        most != 0 && !store::count_phone_use(call.transaction, call.ring.blind_indexes(request.phone.reveal_e164()), most))
        throw operation.fault(fault::invalid_verification_code);
    if (!store::bind_phone(call.transaction, member.directory_id, member.account_id,
                           {.phone_index = phone_index,
                            .phone_sealed = call.ring.seal(keys::Purpose::phone, request.phone.reveal(), member.account_id),
                            .bound_by = call.caller.arn,
                            .verification_id = attempt.verification_id,
                            .bound_at_ms = call.now_ms}))
        throw operation.fault(fault::account_secure_mobile_already_exists);
    if (guess) uncount_guess(call, *guess);
    note_redeemed(call, request.phone, attempt.verification_id);
    queue_notice(call, target, attempt);
    return {};
}

}  // namespace

extern constinit const api::AnyOperation bind_secure_mobile_phone{operation};

}  // namespace openrd::operations::resource_directory
