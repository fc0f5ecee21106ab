#include "openrd/operator_record.hpp"

#include "api/version.hpp"
#include "base/identifiers.hpp"
#include "base/time_text.hpp"
#include "store/audit_events.hpp"
#include "store/directories.hpp"
#include "store/subjects.hpp"
#include "wire/json_writer.hpp"

#include <pwd.h>
#include <unistd.h>

namespace openrd {
namespace {

std::string parameters_json(const OperatorAct& act) {
    std::string text;
    wire::JsonWriter w(text);
    w.begin_answer({});
    for (const auto& [name, value] : act.parameters) w.text(name, value);
    w.end_answer({});
    return text;
}

std::string body_of(const OperatorAct& act, const store::AuditEvent& event) {
    const auto& facts = api::facts_of(api::master_2022);
    std::string body;
    wire::JsonWriter w(body);
    w.begin_answer({});
    w.text("eventId", event.event_id), w.text("eventVersion", "1"), w.text("eventTime", base::utc_seconds(event.at_ms)), w.text("eventName", act.name);
    w.text("eventSource", facts.host), w.text("eventType", "AliyunServiceEvent"), w.text("eventRW", "Write"), w.text("eventCategory", "Management");
    w.text("serviceName", facts.service_name), w.text("apiVersion", facts.date), w.text("acsRegion", "cn-hangzhou"), w.boolean("isGlobal", true);
    w.text("recipientAccountId", act.account_id);
    w.begin_object("userIdentity"), w.text("type", "system"), w.text("userName", event.user_name), w.end_object("userIdentity");
    w.text("requestId", event.event_id), w.text("userAgent", act.command);
    const auto parameters = parameters_json(act);
    w.json("requestParameters", parameters), w.text("requestParameterJson", parameters);
    if (!act.subject_ref.empty()) w.text("subject_ref", act.subject_ref);
    w.text("resourceType", act.resource_type), w.text("resourceName", act.resource);
    w.begin_object("referencedResources"), w.begin_list(act.resource_type, {}), w.text_item({}, act.resource), w.end_list({}, {}), w.end_object("referencedResources");
    w.end_answer({});
    return body;
}

}  // namespace

std::string operator_name() {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    const auto uid = ::getuid();
    if (::getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) != 0 || !found) return "operator:" + std::to_string(uid);
    return std::string("operator:") + entry.pw_name;
}

std::string log_of(db::Transaction& tx, const store::Account& account) {
    if (account.standing != store::standing_member || !account.directory_id) return account.account_id;
    return store::load_directory(tx, *account.directory_id).management_account_id;
}

void record(db::Transaction& tx, const OperatorAct& act, std::int64_t now_ms) {
    store::AuditEvent event{.account_id = act.account_id,
                            .at_ms = now_ms,
                            .event_id = base::request_id(),
                            .service_name = std::string(api::facts_of(api::master_2022).service_name),
                            .event_name = std::string(act.name),
                            .event_rw = "Write",
                            .user_name = act.actor.empty() ? operator_name() : std::string(act.actor),
                            .access_key_id = {},
                            .resource_type = std::string(act.resource_type),
                            .resource_name = act.resource};
    event.body = body_of(act, event);
    store::append_audit_event(tx, event, {});
}

void record_suppression(db::Transaction& tx, const keys::Ring& ring, const phone::MobileNumber& number, const SuppressionAct& act, std::int64_t now_ms) {
    const auto person = store::record_person(tx, ring, server_log, number.reveal(), now_ms);
    const auto subject = person ? person->subject_ref : std::string();
    record(tx,
           {.account_id = std::string(server_log),
            .name = act.name,
            .resource_type = "ACS::OpenRD::Suppression",
            .resource = subject,
            .parameters = {{"Reason", act.reason}},
            .subject_ref = subject,
            .command = act.command,
            .actor = act.actor},
           now_ms);
}

}  // namespace openrd
