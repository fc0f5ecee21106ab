#include "pipeline/audit_record.hpp"

#include "base/identifiers.hpp"
#include "base/time_text.hpp"
#include "pipeline/decode.hpp"
#include "store/subjects.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>
#include <map>

namespace openrd::pipeline {
namespace {

constexpr std::string_view hidden = "***";
constexpr std::size_t user_agent_most = 256, parameter_most = 8192;

std::string_view type_of(api::CallerKind kind) {
    switch (kind) {
        case api::CallerKind::root:
            return "root-account";
        case api::CallerKind::user:
            return "ram-user";
        case api::CallerKind::role_session:
            return "assumed-role";
    }
    return {};
}

std::optional<store::PersonRecord> person_of(const std::vector<KnownParameter>& parameters, const api::Caller& caller, std::int64_t now_ms, db::Transaction& tx,
                                             const keys::Ring& ring) {
    const auto at = std::ranges::find(parameters, Confidence::personal, &KnownParameter::confidence);
    return at == parameters.end() ? std::nullopt : store::record_person(tx, ring, caller.account_id, at->value, now_ms);
}

// What could not be read as the parameter that it claims to be may be anything, a phone number or a code in the wrong place too: it is
// not repeated. The refusal names the parameter.
std::string parameters_json(const std::vector<KnownParameter>& parameters, bool well_formed) {
    std::string text;
    wire::JsonWriter w(text);
    w.begin_answer({});
    for (const auto& p : parameters) w.text(p.name, p.confidence == Confidence::open && well_formed ? std::string_view(p.value).substr(0, parameter_most) : hidden);
    w.end_answer({});
    return text;
}

// The parts that every entry has.
class Entry {
  public:
    Entry(const api::Caller& caller, std::string_view event_name, bool writes, api::Version version, std::int64_t at_ms, std::string_view event_id)
        : version_(api::facts_of(version)), writer_(body_) {
        event_.account_id = caller.account_id;
        event_.at_ms = at_ms;
        event_.event_id = event_id;
        event_.service_name = version_.service_name;
        event_.event_name = event_name;
        event_.event_rw = writes ? "Write" : "Read";
        event_.user_name = caller.name;
        event_.access_key_id = caller.access_key_id;
        body_.reserve(1024);
        writer_.begin_answer({});
        writer_.text("eventId", event_.event_id), writer_.text("eventVersion", "1"), writer_.text("eventTime", base::utc_seconds(at_ms));
        writer_.text("eventName", event_name), writer_.text("eventSource", version_.host), writer_.text("eventType", "ApiCall"), writer_.text("eventRW", event_.event_rw);
        writer_.text("eventCategory", "Management"), writer_.text("serviceName", version_.service_name), writer_.text("apiVersion", version_.date);
        writer_.text("acsRegion", "cn-hangzhou"), writer_.boolean("isGlobal", true), writer_.text("recipientAccountId", caller.account_id);
        writer_.begin_object("userIdentity");
        writer_.text("type", type_of(caller.kind)), writer_.text("accountId", caller.account_id), writer_.text("principalId", caller.principal_id);
        writer_.text("userName", caller.name), writer_.text("accessKeyId", caller.access_key_id), writer_.text("arn", caller.arn);
        if (!caller.source_identity.empty()) writer_.text("sourceIdentity", caller.source_identity);
        writer_.begin_object("sessionContext"), writer_.begin_object("attributes");
        writer_.text("mfaAuthenticated", "false"), writer_.text("creationDate", base::utc_seconds(at_ms));
        writer_.end_object("attributes"), writer_.end_object("sessionContext"), writer_.end_object("userIdentity");
    }

    wire::JsonWriter& writer() { return writer_; }
    store::AuditEvent& event() { return event_; }
    store::AuditEvent finish() {
        writer_.end_answer({});
        event_.body = std::move(body_);
        return std::move(event_);
    }

  private:
    const api::VersionFacts& version_;
    std::string body_;
    wire::JsonWriter writer_;
    store::AuditEvent event_;
};

void write_resources(Entry& entry, const std::vector<std::pair<std::string_view, std::string>>& concerned) {
    if (concerned.empty()) return;
    entry.event().resource_type = concerned.front().first;
    entry.event().resource_name = concerned.front().second;
    auto& w = entry.writer();
    w.text("resourceType", entry.event().resource_type), w.text("resourceName", entry.event().resource_name);
    std::map<std::string_view, std::vector<std::string_view>> by_type;
    for (const auto& [type, id] : concerned) by_type[type].push_back(id);
    w.begin_object("referencedResources");
    for (const auto& [type, ids] : by_type) {
        w.begin_list(type, {});
        for (const auto id : ids) w.text_item({}, id);
        w.end_list({}, {});
    }
    w.end_object("referencedResources");
}

}  // namespace

store::AuditEvent audit_event(const Exchange& ex, db::Transaction& tx, const keys::Ring& ring) {
    const auto& caller = ex.identity->caller;
    const auto parameters = known_parameters(*ex.operation, ex.parameters);
    Entry entry(caller, ex.operation->name, ex.operation->effect == api::Effect::write, ex.version, ex.now_ms, ex.request_id);
    auto& w = entry.writer();
    w.text("requestId", ex.request_id), w.text("sourceIpAddress", ex.request.source_address);
    w.text("userAgent", ex.request.header("user-agent").substr(0, user_agent_most));
    const auto json = parameters_json(parameters, ex.decoded.has_value());
    w.json("requestParameters", json), w.text("requestParameterJson", json);
    if (const auto person = person_of(parameters, caller, ex.now_ms, tx, ring)) {
        w.text("subject_ref", person->subject_ref);
        if (!person->pii.empty()) w.text("pii", person->pii);
    }
    if (ex.refusal) w.text("errorCode", ex.refusal->code), w.text("errorMessage", ex.refusal->message);
    write_resources(entry, ex.concerned);
    return entry.finish();
}

store::AuditEvent audit_event(const CountedRefusals& r) {
    Entry entry(r.identity->caller, r.operation->name, r.operation->effect == api::Effect::write, r.version, r.minute_ms, base::request_id());
    auto& w = entry.writer();
    w.text("requestId", entry.event().event_id), w.text("sourceIpAddress", r.source_address), w.text("userAgent", "");
    w.json("requestParameters", "{}"), w.text("requestParameterJson", "{}");
    w.text("errorCode", r.code), w.text("errorMessage", r.message);
    w.begin_object("additionalEventData"), w.text("count", std::to_string(r.count)), w.text("window", "1m"), w.end_object("additionalEventData");
    return entry.finish();
}

}  // namespace openrd::pipeline
