#include "pipeline/describe.hpp"

#include "api/faults.hpp"
#include "wire/json_writer.hpp"

#include <fmt/format.h>

namespace openrd::pipeline {
namespace {
using api::FieldFacts;
using api::Form;
using api::Notation;

const api::Type& value_type(const FieldFacts& f) { return f.type->optional ? *f.type->inside : *f.type; }
std::string_view word(const api::Type& t) {
    switch (t.form) {
        case Form::text:
            return "string";
        case Form::int32:
            return "int32";
        case Form::int64:
            return "int64";
        case Form::boolean:
            return "bool";
        case Form::json:
            return "map";
        case Form::object:
            return "object";
        case Form::list:
            return "list";
    }
    return {};
}

template <class Visit> void each_parameter(api::FieldList list, const void* defaults, api::Version v, Visit&& visit) {
    for (const FieldFacts& f : list) {
        if (!f.versions.has(v)) continue;
        if (f.notation == Notation::group) each_parameter(f.fields, f.member(defaults), v, visit);
        else visit(f, f.member(defaults));
    }
}

// The value an optional parameter keeps when it is not given: whatever the struct says.
std::string default_of(const FieldFacts& f, const void* member) {
    if (f.presence == api::Presence::required || f.type->optional) return {};
    std::string text;
    switch (f.type->form) {
        case Form::text:
            f.type->write ? f.type->write(member, text) : void(text = *static_cast<const std::string*>(member));
            break;
        case Form::int32:
            text = std::to_string(*static_cast<const std::int32_t*>(member));
            break;
        case Form::int64:
            text = std::to_string(*static_cast<const std::int64_t*>(member));
            break;
        case Form::boolean:
            text = *static_cast<const bool*>(member) ? "true" : "false";
            break;
        default:
            break;
    }
    return text;
}

struct Path {
    std::string path;
    std::string_view type;
};
void answer_paths(api::FieldList list, const std::string& path, api::Version v, std::vector<Path>& out) {
    for (const FieldFacts& f : list) {
        if (!f.versions.has(v)) continue;
        if (f.notation == Notation::group) {
            answer_paths(f.fields, path, v, out);
            continue;
        }
        auto here = path + std::string(f.name);
        const api::Type& type = value_type(f);
        if (type.form == Form::list) {
            if (!f.item.empty()) {
                out.push_back({here, "object"});
                here += "." + std::string(f.item);
            }
            here += "[]";
            out.push_back({here, word(*type.inside)});
        } else {
            out.push_back({here, word(type)});
        }
        answer_paths(f.fields, here + ".", v, out);
    }
}

class FaultList {
  public:
    void add(const api::FaultKind* kind, std::string_view about, std::string_view decision, FaultOrigin origin) {
        if (!kind) return;
        const auto fault = api::Fault(*kind).about(about);
        KnownFault known{fault.code(), kind->http_status, fault.message(), decision, origin};
        for (const auto& f : faults_)
            if (f.code == known.code && f.http_status == known.http_status && f.message == known.message) return;
        faults_.push_back(std::move(known));
    }
    void add_rules(api::FieldList list, const std::string& path, api::Version v) {
        for (const FieldFacts& f : list) {
            if (!f.versions.has(v)) continue;
            const auto name = f.notation == Notation::group ? path : path + std::string(f.name);
            add(f.rule->refused_as, name, {}, FaultOrigin::rule);
            add(f.rule->wrong_length_as, name, {}, FaultOrigin::rule);
            if (f.presence == api::Presence::required) add(f.rule->empty_as, name, {}, FaultOrigin::rule);
            add_rules(f.fields, f.notation == Notation::group ? path : name + ".N.", v);
        }
    }
    std::vector<KnownFault> take() { return std::move(faults_); }

  private:
    std::vector<KnownFault> faults_;
};

std::string_view callers_text(api::Callers callers) {
    switch (callers) {
        case api::Callers::any_account:
            return "every authenticated identity";
        case api::Callers::management:
            return "the root user, RAM users and RAM roles of a management account";
        case api::Callers::management_ram_identity:
            return "RAM users and RAM roles of a management account, not its root user";
        case api::Callers::management_or_delegated:
            return "identities of a management account or of a delegated administrator";
        case api::Callers::directory_account:
            return "identities of a management account or of a member";
    }
    return {};
}

}  // namespace

const api::FaultKind* refusal_of(api::Callers callers) {
    switch (callers) {
        case api::Callers::any_account:
            return nullptr;
        case api::Callers::management:
        case api::Callers::management_or_delegated:
            return &fault::directory_not_exists;
        case api::Callers::management_ram_identity:
            return &fault::caller_identity_error;
        case api::Callers::directory_account:
            return &fault::directory_not_in_use;
    }
    return &fault::internal_error;
}

std::vector<KnownFault> faults_of(const api::AnyOperation& o, api::Version v) {
    FaultList list;
    for (const auto& f : o.faults())
        if (f.versions.has(v)) list.add(f.kind, {}, f.decision, FaultOrigin::room);
    list.add_rules(o.parameters, {}, v);
    list.add(refusal_of(o.callers), {}, {}, FaultOrigin::pipeline);
    const bool lends_a_role = o.resources[0].kind == api::ResourceKind::role;
    for (const api::FaultKind* kind : {&fault::not_support_site_action,
                                       o.action.open  ? nullptr
                                       : lends_a_role ? &fault::sts_no_permission
                                                      : &fault::no_permission,
                                       lends_a_role ? &fault::sts_root_may_not : nullptr, lends_a_role ? &fault::role_not_exists : nullptr, &fault::incomplete_signature,
                                       &fault::throttled, &fault::internal_error, &fault::service_unavailable})
        list.add(kind, {}, {}, FaultOrigin::pipeline);
    return list.take();
}

std::string describe_as_json(const api::AnyOperation& o, api::Version v) {
    std::string out = "{";
    wire::JsonWriter w(out);
    w.text("name", o.name), w.text("product", facts_of(v).product), w.text("version", facts_of(v).date), w.text("summary", o.summary);
    w.text("effect", o.effect == api::Effect::read ? "read" : "write"), w.text("action", o.action.text), w.text("callers", callers_text(o.callers));
    w.number("rate_calls", o.rate.calls), w.number("rate_seconds", o.rate.seconds);
    w.begin_list("parameters", {});
    const auto defaults = o.new_request();
    each_parameter(o.parameters, defaults.get(), v, [&](const FieldFacts& f, const void* member) {
        w.begin_item({});
        w.text("name", f.name), w.text("type", word(value_type(f))), w.boolean("required", f.presence == api::Presence::required);
        if (value_type(f).form == Form::list) w.text("item_type", word(*value_type(f).inside)), w.text("style", f.notation == Notation::numbered ? "flat" : "json");
        w.boolean("secret", f.type->secret), w.text("default", default_of(f, member)), w.text("says", f.rule->says);
        w.begin_list("fields", {});
        for (const FieldFacts& g : f.fields) w.text_item({}, g.name);
        w.end_list({}, {}), w.end_item({});
    });
    w.end_list({}, {});
    w.begin_list("answer", {});
    std::vector<Path> paths;
    answer_paths(o.answer, {}, v, paths);
    for (const auto& [path, type] : paths) w.begin_item({}), w.text("path", path), w.text("type", type), w.end_item({});
    w.end_list({}, {});
    w.begin_list("faults", {});
    for (const auto& f : faults_of(o, v)) {
        w.begin_item({}), w.text("code", f.code), w.number("status", f.http_status), w.text("message", f.message), w.text("decision", f.decision);
        w.text("origin", f.origin == FaultOrigin::room ? "room" : f.origin == FaultOrigin::rule ? "rule" : "pipeline"), w.end_item({});
    }
    w.end_list({}, {});
    return out + "}";
}

std::string describe_as_markdown(const api::AnyOperation& o, api::Version v) {
    std::string out =
        fmt::format("## {} ({} {})\n\n{}\n\n- {}; RAM action `{}`; {} calls in {} s for each account\n- called by {}\n\n", o.name, facts_of(v).product, facts_of(v).date, o.summary,
                    o.effect == api::Effect::read ? "reads" : "writes", o.action.text, o.rate.calls, o.rate.seconds, callers_text(o.callers));
    if (o.parameters.count != 0) out += "| parameter | type | | rule |\n|---|---|---|---|\n";
    const auto defaults = o.new_request();
    each_parameter(o.parameters, defaults.get(), v, [&](const FieldFacts& f, const void* member) {
        const auto given = default_of(f, member);
        out += fmt::format("| `{}{}` | {} | {} | {}{}{} |\n", f.name, f.notation == Notation::numbered ? ".N" : "", word(value_type(f)),
                           f.presence == api::Presence::required ? "required" : "optional", f.rule->says, given.empty() ? "" : "; default " + given,
                           f.type->secret ? "; never logged" : "");
    });
    out += "\n| status | code | message |\n|---|---|---|\n";
    for (const auto& f : faults_of(o, v)) out += fmt::format("| {} | `{}` | {} |\n", f.http_status, f.code, f.message);
    return out + "\n";
}

}  // namespace openrd::pipeline
