#include "wire/error_envelope.hpp"

#include "wire/json_writer.hpp"
#include "wire/xml_writer.hpp"

namespace openrd::wire {
namespace {

template <class Writer> void write_denied(Writer& writer, const AccessDenied* denied) {
    if (!denied) return;
    writer.begin_object("AccessDeniedDetail");
    writer.text("AuthAction", denied->auth_action);
    writer.text("AuthPrincipalType", denied->auth_principal_type);
    writer.text("AuthPrincipalOwnerId", denied->auth_principal_owner_id);
    writer.text("AuthPrincipalDisplayName", denied->auth_principal_display_name);
    writer.text("NoPermissionType", denied->no_permission_type);
    writer.text("PolicyType", denied->policy_type);
    writer.text("EncodedDiagnosticMessage", denied->encoded_diagnostic_message);
    writer.end_object("AccessDeniedDetail");
}

template <class Writer> void write_head(Writer& writer, const ErrorAnswer& error) {
    writer.text("RequestId", error.request_id);
    writer.text("HostId", error.host_id);
    writer.text("Code", error.code);
    writer.text("Message", error.message);
}

std::size_t likely_size(const ErrorAnswer& error) { return 256 + error.message.size() + error.recommend.size() + (error.denied ? 512 : 0); }

}  // namespace

std::string error_json(const ErrorAnswer& error) {
    std::string out;
    out.reserve(likely_size(error));
    JsonWriter writer(out);
    writer.begin_answer({});
    write_head(writer, error);
    writer.text("Recommend", error.recommend);
    write_denied(writer, error.denied);
    writer.end_answer({});
    return out;
}

std::string error_xml(const ErrorAnswer& error) {
    std::string out;
    out.reserve(likely_size(error));
    XmlWriter writer(out);
    out += "<?xml version='1.0' encoding='UTF-8'?>";
    writer.begin_object("Error");
    write_head(writer, error);
    writer.begin_object("Recommend");
    append_xml_cdata(out, error.recommend);
    writer.end_object("Recommend");
    write_denied(writer, error.denied);
    writer.end_object("Error");
    return out;
}

}  // namespace openrd::wire
