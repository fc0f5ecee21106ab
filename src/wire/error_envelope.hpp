#pragma once
// The body of every error answer (protocol.md D.4, H.7).
#include <string>
#include <string_view>

namespace openrd::wire {

// Exactly these: node and Go clients choose their parser by the text (protocol.md D.1).
inline constexpr std::string_view json_content_type = "application/json;charset=utf-8";
inline constexpr std::string_view xml_content_type = "text/xml;charset=utf-8";

// What a NoPermission answer says about its reason. All members are answered, as texts, empty ones too.
struct AccessDenied {
    std::string auth_action;
    std::string auth_principal_type;
    std::string auth_principal_owner_id;
    std::string auth_principal_display_name;
    std::string no_permission_type;
    std::string policy_type;
    std::string encoded_diagnostic_message;
};

// The five texts are always answered, as texts: SDKs panic on a missing or null one. code must not be empty (protocol.md D.4).
struct ErrorAnswer {
    std::string_view request_id;
    std::string_view host_id;  // the Host that the client used, without its port
    std::string_view code;
    std::string_view message;
    std::string_view recommend;
    const AccessDenied* denied = nullptr;  // an object in the answer, or absent: a text there makes Go's client panic
};

std::string error_json(const ErrorAnswer& error);
std::string error_xml(const ErrorAnswer& error);

}  // namespace openrd::wire
