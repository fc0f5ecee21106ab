#include "openrd/risk_record.hpp"

#include "api/call.hpp"
#include "openrd/operator_record.hpp"
#include "store/accounts.hpp"
#include "store/subjects.hpp"
#include "store/suppressions.hpp"
#include "store/verifications.hpp"

namespace openrd {

void record_risk_refusal(db::Engine& engine, const keys::Ring& ring, const delivery::OutgoingMessage& message, const std::string& reason, std::int64_t now_ms) {
    engine.write_and_wait([&](db::Transaction& tx) {
        const auto account = store::find_account(tx, message.account_id);
        const auto log = account ? log_of(tx, *account) : std::string(server_log);
        for (const auto& index : ring.blind_indexes(message.to.reveal_e164())) store::cancel_verification(tx, message.account_id, message.purpose, index);
        const auto person = store::record_person(tx, ring, log, message.to.reveal(), now_ms);
        record(tx,
               {.account_id = log,
                .name = "RefuseVerificationCode",
                .resource_type = api::account_resource,
                .resource = message.account_id,
                .parameters = {{"AccountId", message.account_id}, {"MessageId", message.id}, {"Reason", reason}},
                .subject_ref = person ? person->subject_ref : "",
                .command = "openrd risk probe",
                .actor = "system:risk-probe"},
               now_ms);
    });
}

std::string refuse_suppressed(db::Transaction& tx, const keys::Ring& ring, const phone::MobileNumber& to, std::int64_t now_ms) {
    if (to.empty() || !store::is_suppressed(tx, ring.blind_indexes(to.reveal_e164()), now_ms)) return {};
    return "suppressed";
}

void suppress_opted_out(db::Transaction& tx, const keys::Ring& ring, const phone::MobileNumber& to, std::string_view channel, std::int64_t now_ms) {
    if (to.empty() || store::is_suppressed(tx, ring.blind_indexes(to.reveal_e164()), now_ms)) return;
    const auto reason = std::string(store::suppressed_by_stop);
    store::put_suppression(tx, {.phone_index = ring.blind_index(to.reveal_e164()), .reason = reason, .created_by = std::string(channel), .created_at_ms = now_ms, .until_ms = {}});
    record_suppression(tx, ring, to, {.name = "SuppressPhone", .reason = reason, .command = "openrd dispatcher", .actor = "system:dispatcher"}, now_ms);
}

}  // namespace openrd
