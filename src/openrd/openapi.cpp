#include "openrd/openapi.hpp"

#include "pipeline/describe.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <map>
#include <string_view>

namespace openrd {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

std::string_view text_of(const object& from, std::string_view name) {
    const auto& text = from.at({name.data(), name.size()}).as_string();
    return {text.data(), text.size()};
}

object schema_of(std::string_view type) {
    if (type == "int32" || type == "int64") return {{"type", "integer"}, {"format", type}};
    if (type == "bool") return {{"type", "boolean"}};
    if (type == "map" || type == "object") return {{"type", "object"}};
    return {{"type", "string"}};
}

object parameter_schema(const object& parameter) {
    if (text_of(parameter, "type") != "list") return schema_of(text_of(parameter, "type"));
    auto item = schema_of(text_of(parameter, "item_type"));
    if (const auto& fields = parameter.at("fields").as_array(); !fields.empty()) {
        object properties;
        for (const auto& field : fields) properties[field.as_string()] = object{{"type", "string"}};
        item["properties"] = std::move(properties);
    }
    return {{"type", "array"}, {"items", std::move(item)}};
}

array parameters_of(const object& operation) {
    array list;
    for (const auto& entry : operation.at("parameters").as_array()) {
        const auto& parameter = entry.as_object();
        object one{{"name", text_of(parameter, "name")}, {"in", "query"}, {"required", parameter.at("required")}, {"schema", parameter_schema(parameter)}};
        if (const auto says = text_of(parameter, "says"); !says.empty()) one["description"] = says;
        if (text_of(parameter, "type") == "list") {
            const bool flat = text_of(parameter, "style") == "flat";
            one["style"] = flat ? "deepObject" : "form";  // Tag.1.Key=k, or one JSON text
            one["x-openrd-style"] = flat ? "repeatList" : "json";
        }
        list.emplace_back(std::move(one));
    }
    return list;
}

// "Accounts.Account[].AccountId" of type string, put where it belongs.
void add_path(object& schema, std::string_view path, std::string_view type) {
    auto* here = &schema;
    for (;;) {
        const auto dot = path.find('.');
        auto name = path.substr(0, dot);
        const bool is_list = name.ends_with("[]");
        if (is_list) name.remove_suffix(2);
        auto& properties = here->emplace("properties", object()).first->value().as_object();
        auto& property = properties.emplace({name.data(), name.size()}, object()).first->value().as_object();
        const bool last = dot == path.npos;
        if (is_list) {
            property["type"] = "array";
            here = &property.emplace("items", object{{"type", "object"}}).first->value().as_object();
        } else {
            if (!last && !property.contains("type")) property["type"] = "object";
            here = &property;
        }
        if (last) {
            for (const auto& [key, known] : schema_of(type)) here->insert_or_assign(key, known);
            return;
        }
        path.remove_prefix(dot + 1);
    }
}

object answer_schema(const object& operation) {
    object schema{{"type", "object"}};
    add_path(schema, "RequestId", "string");
    for (const auto& entry : operation.at("answer").as_array()) add_path(schema, text_of(entry.as_object(), "path"), text_of(entry.as_object(), "type"));
    return schema;
}

object content(value schema) { return {{"application/json", object{{"schema", std::move(schema)}}}}; }

object responses_of(const object& operation) {
    object responses{{"200", object{{"description", "Success"}, {"content", content(answer_schema(operation))}}}};
    std::map<std::int64_t, std::string> by_status;
    for (const auto& entry : operation.at("faults").as_array()) {
        const auto& fault = entry.as_object();
        auto& lines = by_status[fault.at("status").as_int64()];
        if (!lines.empty()) lines += "\n\n";
        lines += fmt::format("`{}` {}", text_of(fault, "code"), text_of(fault, "message"));
    }
    for (const auto& [status, lines] : by_status)
        responses[std::to_string(status)] = object{{"description", lines}, {"content", content(object{{"$ref", "#/components/schemas/Error"}})}};
    return responses;
}

object components() {
    object properties;
    for (const char* name : {"RequestId", "HostId", "Code", "Message", "Recommend"}) properties[name] = object{{"type", "string"}};
    properties["AccessDeniedDetail"] = object{{"type", "object"}};
    const object error{{"type", "object"}, {"required", array{"RequestId", "HostId", "Code", "Message", "Recommend"}}, {"properties", std::move(properties)}};
    const object signature{
        {"type", "apiKey"}, {"in", "header"}, {"name", "Authorization"}, {"description", "ACS3-HMAC-SHA256 over the request, or signature version 1.0 in the parameters"}};
    return {{"schemas", object{{"Error", error}}}, {"securitySchemes", object{{"signature", signature}}}};
}

}  // namespace

std::string openapi(const std::vector<std::pair<const api::AnyOperation*, api::Version>>& operations) {
    object paths;
    for (const auto& [declared, version] : operations) {
        const auto json = boost::json::parse(pipeline::describe_as_json(*declared, version));
        const auto& operation = json.as_object();
        const auto path = fmt::format("/#Action={}&Version={}", declared->name, api::facts_of(version).date);
        paths[path] = object{{"post", object{{"operationId", fmt::format("{}_{}", declared->name, api::facts_of(version).product)},
                                             {"summary", text_of(operation, "summary")},
                                             {"tags", array{api::facts_of(version).product}},
                                             {"parameters", parameters_of(operation)},
                                             {"responses", responses_of(operation)}}}};
    }
    const object document{{"openapi", "3.0.3"},
                          {"info", object{{"title", "openrd"}, {"version", OPENRD_VERSION}}},
                          {"servers", array{object{{"url", "http://127.0.0.1:8080"}}}},
                          {"security", array{object{{"signature", array{}}}}},
                          {"paths", std::move(paths)},
                          {"components", components()}};
    return boost::json::serialize(document);
}

}  // namespace openrd
