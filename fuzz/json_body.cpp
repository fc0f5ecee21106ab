// Any bytes as a JSON body, as a JSON list, and as text in an answer: what is taken is JSON and within the limits, and what we
// write is JSON and XML whatever it was made of.
#include "require.hpp"

#include "base/text.hpp"
#include "wire/error_envelope.hpp"
#include "wire/json_array.hpp"
#include "wire/json_writer.hpp"
#include "wire/percent.hpp"
#include "wire/xml_writer.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace wire = openrd::wire;
namespace base = openrd::base;
using openrd::fuzz::require;
using Entries = std::vector<wire::Parameters::Entry>;

namespace {

const base::ParameterLimits limits{.count = 20, .list_index = 10};

bool is_json(std::string_view text, boost::json::kind kind) {
    boost::system::error_code error;
    boost::json::parse_options options;
    options.max_depth = 64;
    const auto value = boost::json::parse({text.data(), text.size()}, error, {}, options);
    return !error && value.kind() == kind;
}

// Elements that are closed as they were opened, and nothing that XML forbids. Knows what our writer writes, and no more of XML.
bool is_xml(std::string_view xml) {
    std::vector<std::string_view> open;
    if (!base::is_clean_utf8(xml)) return false;
    if (std::ranges::any_of(xml, [](char c) { return c >= 0 && c < ' ' && c != '\n' && c != '\t' && c != '\r'; })) return false;
    while (!xml.empty()) {
        if (xml.starts_with("<![CDATA[")) {
            const std::size_t end = xml.find("]]>");
            if (end == xml.npos) return false;
            xml.remove_prefix(end + 3);
        } else if (xml.front() == '<') {
            const std::size_t end = xml.find('>');
            if (end == xml.npos) return false;
            const bool closes = xml.starts_with("</");
            const std::string_view name = xml.substr(closes ? 2 : 1, end - (closes ? 2 : 1));
            const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; };
            if (name.empty() || !std::ranges::all_of(name, fits) || (name.front() >= '0' && name.front() <= '9') || name.front() == '-' || name.front() == '.') return false;
            if (closes) {
                if (open.empty() || open.back() != name) return false;
                open.pop_back();
            } else {
                open.push_back(name);
            }
            xml.remove_prefix(end + 1);
        } else if (xml.front() == '&') {
            constexpr std::string_view known[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#13;"};
            const auto* const entity = std::ranges::find_if(known, [&](std::string_view e) { return xml.starts_with(e); });
            if (entity == std::end(known)) return false;
            xml.remove_prefix(entity->size());
        } else {
            if (xml.front() == '>' || xml.front() == '"') return false;
            xml.remove_prefix(1);
        }
    }
    return open.empty();
}

void check_body(std::string_view text) {
    const auto collected = wire::collect("Q=1", text, wire::BodyKind::json, limits);
    if (!collected) {
        const std::string& name = collected.error().name;
        require(name.size() <= 64 && std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; }));
        return;
    }
    require(text.empty() || is_json(text, boost::json::kind::object));
    std::string query;
    for (const auto& [name, value] : collected->all()) {
        require(base::is_clean_utf8(name) && base::is_clean_utf8(value) && name.size() <= 1024);
        query += "&" + wire::percent_encode(name) + "=" + wire::percent_encode(value);
    }
    const auto again = wire::collect(query, {}, wire::BodyKind::none, limits);
    require(again.has_value() && std::ranges::equal(again->all(), collected->all()));
}

void check_list(std::string_view text) {
    Entries into = {{"Before", "x"}};
    const bool taken = wire::flatten_json_array("Tag", text, into, limits);
    require(into.size() <= limits.count && into.front().first == "Before");
    if (!taken) return require(into.size() == 1);
    require(is_json(text, boost::json::kind::array));
    for (const auto& e : std::span(into).subspan(1)) require(e.first.starts_with("Tag."));
}

void check_written(std::string_view text) {
    std::string json;
    wire::append_json_text(json, text);
    require(is_json(json, boost::json::kind::string));
    if (base::is_clean_utf8(text)) require(boost::json::parse(json).as_string() == boost::json::string_view(text.data(), text.size()));

    std::string xml;
    wire::append_json_as_xml(xml, "Element", text);
    require(is_xml(xml));

    const wire::AccessDenied denied{.auth_action = std::string(text),
                                    .auth_principal_type = {},
                                    .auth_principal_owner_id = {},
                                    .auth_principal_display_name = {},
                                    .no_permission_type = {},
                                    .policy_type = {},
                                    .encoded_diagnostic_message = std::string(text)};
    const wire::ErrorAnswer error{.request_id = text, .host_id = text, .code = text, .message = text, .recommend = text, .denied = &denied};
    require(is_json(wire::error_json(error), boost::json::kind::object));
    const std::string envelope = wire::error_xml(error);
    constexpr std::string_view declaration = "<?xml version='1.0' encoding='UTF-8'?>";
    require(envelope.starts_with(declaration) && is_xml(std::string_view(envelope).substr(declaration.size())));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_body(text);
    check_list(text);
    check_written(text);
    return 0;
}
