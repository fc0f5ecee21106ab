// The declarations against the vendor's contract, both ways: nothing missing, nothing extra, nothing typed otherwise, and every
// documented error either declared or standing in docs/coverage.md with its reason.
#include "api/registry.hpp"
#include "pipeline/describe.hpp"

#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace openrd::tests {
namespace {

namespace json = boost::json;

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT_TRUE(file) << path;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

const json::object& contract_of(api::Version version, std::string_view operation) {
    static std::map<api::Version, json::value> contracts;
    const auto& facts = api::facts_of(version);
    auto& contract = contracts[version];
    if (contract.is_null()) contract = json::parse(read_file("contract/" + std::string(facts.product) + "-" + std::string(facts.date) + ".json"));
    for (const auto& o : contract.at("operations").as_array())
        if (o.at("name").as_string() == operation) return o.as_object();
    throw std::runtime_error("not in the contract: " + std::string(operation));
}

std::string text_of(const json::object& object, std::string_view name) {
    const auto* value = object.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

// One row of docs/coverage.md: | operation | version or both | status | code | reason |.
struct Row {
    std::string operation, version, status, code, reason;
    auto operator<=>(const Row&) const = default;
};
std::vector<Row> coverage(std::string_view heading) {
    std::vector<Row> rows;
    std::istringstream lines(read_file("docs/coverage.md"));
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("## ")) inside = line == "## " + std::string(heading);
        if (!inside || !line.starts_with("| ") || line.starts_with("| operation") || line.starts_with("|---")) continue;
        std::vector<std::string> cells;
        std::istringstream row(line);
        for (std::string cell; std::getline(row, cell, '|');) {
            const auto first = cell.find_first_not_of(" `");
            cells.push_back(first == cell.npos ? "" : cell.substr(first, cell.find_last_not_of(" `") - first + 1));
        }
        if (cells.size() >= 6) rows.push_back({cells[1], cells[2], cells[3], cells[4], cells[5]});
    }
    return rows;
}
bool names(const Row& row, std::string_view operation, api::Version version, std::int64_t status, std::string_view code) {
    return row.operation == operation && (row.version == "both" || row.version == api::facts_of(version).date) && row.status == std::to_string(status) && row.code == code;
}

template <class Visit> void each_declaration(Visit&& visit) {
    for (const auto* operation : api::operations())
        for (const api::Version version : api::every_version)
            if (operation->served_as.has(version))
                visit(*operation, version, json::parse(pipeline::describe_as_json(*operation, version)).as_object(), contract_of(version, operation->name));
}
std::string where(const api::AnyOperation& operation, api::Version version) { return std::string(operation.name) + " " + std::string(api::facts_of(version).date) + ": "; }

TEST(Contract, ParametersAreTheVendors) {
    each_declaration([](const auto& operation, auto version, const json::object& ours, const json::object& theirs) {
        std::map<std::string, json::object> mine, wanted;
        for (const auto& p : ours.at("parameters").as_array()) mine[text_of(p.as_object(), "name")] = p.as_object();
        for (const auto& p : theirs.at("params").as_array()) wanted[text_of(p.as_object(), "name")] = p.as_object();
        for (const auto& [name, p] : mine) EXPECT_TRUE(wanted.contains(name)) << where(operation, version) << name << " is not the vendor's";
        for (const auto& [name, t] : wanted) {
            ASSERT_TRUE(mine.contains(name)) << where(operation, version) << name << " is missing";
            const auto& m = mine[name];
            auto type = text_of(t, "type");
            if (type == "int") type = text_of(t, "format").empty() ? "int32" : text_of(t, "format");
            EXPECT_EQ(text_of(m, "type"), type) << where(operation, version) << name;
            EXPECT_EQ(m.at("required").as_bool(), t.at("required").as_bool()) << where(operation, version) << name;
            if (const auto given = text_of(m, "default"); !given.empty() && t.contains("default")) { EXPECT_EQ(given, text_of(t, "default")) << where(operation, version) << name; }
            if (type != "list") continue;
            EXPECT_TRUE(text_of(t, "serialization").starts_with(text_of(m, "style"))) << where(operation, version) << name;
            EXPECT_EQ(text_of(m, "item_type"), text_of(t, "item_type")) << where(operation, version) << name;
            std::set<std::string> fields, wanted_fields;
            for (const auto& f : m.at("fields").as_array()) fields.insert(std::string(f.as_string()));
            if (const auto* list = t.if_contains("fields"))
                for (const auto& f : list->as_array()) wanted_fields.insert(text_of(f.as_object(), "name"));
            EXPECT_EQ(fields, wanted_fields) << where(operation, version) << name;
        }
    });
}

TEST(Contract, AnswersAreTheVendors) {
    each_declaration([](const auto& operation, auto version, const json::object& ours, const json::object& theirs) {
        std::map<std::string, std::string> mine, wanted;
        for (const auto& f : ours.at("answer").as_array()) mine[text_of(f.as_object(), "path")] = text_of(f.as_object(), "type");
        for (const auto& f : theirs.at("response_fields").as_array())
            if (text_of(f.as_object(), "path") != "RequestId") wanted[text_of(f.as_object(), "path")] = text_of(f.as_object(), "type");
        EXPECT_EQ(mine, wanted) << where(operation, version);
    });
}

TEST(Contract, EveryDocumentedErrorIsDeclaredOrHasItsReason) {
    const auto reasons = coverage("Documented errors that cannot happen here");
    ASSERT_FALSE(reasons.empty());
    std::set<Row> used;
    each_declaration([&](const auto& operation, auto version, const json::object&, const json::object& theirs) {
        const auto faults = pipeline::faults_of(operation, version);
        for (const auto& e : theirs.at("errors").as_array()) {
            const auto code = text_of(e.as_object(), "code"), message = text_of(e.as_object(), "message");
            const auto status = e.at("status").as_int64();
            const bool declared =
                std::ranges::any_of(faults, [&](const auto& f) { return f.code == code && f.http_status == status && (message.empty() || f.message == message); });
            const auto reason = std::ranges::find_if(reasons, [&](const Row& row) { return names(row, operation.name, version, status, code); });
            if (reason != reasons.end()) {
                used.insert(*reason);
                EXPECT_FALSE(declared) << where(operation, version) << code << " is declared and stands in docs/coverage.md as impossible";
                EXPECT_FALSE(reason->reason.empty()) << code;
            } else {
                EXPECT_TRUE(declared) << where(operation, version) << status << ' ' << code << " \"" << message << "\" is neither declared nor in docs/coverage.md";
            }
        }
    });
    for (const auto& row : reasons) EXPECT_TRUE(used.contains(row)) << "docs/coverage.md: " << row.operation << ' ' << row.code << " is not in the contract";
}

TEST(Contract, WhatIsBeyondTheVendorsTableSaysWhy) {
    const auto beyond = coverage("Errors beyond the vendor's tables");
    std::set<Row> used;
    each_declaration([&](const auto& operation, auto version, const json::object&, const json::object& theirs) {
        for (const auto& f : pipeline::faults_of(operation, version)) {
            const auto& errors = theirs.at("errors").as_array();
            const bool documented = std::ranges::any_of(errors, [&](const auto& e) {
                const auto message = text_of(e.as_object(), "message");
                return text_of(e.as_object(), "code") == f.code && e.at("status").as_int64() == f.http_status && (message.empty() || message == f.message);
            });
            if (documented || f.origin == pipeline::FaultOrigin::pipeline) continue;
            if (f.origin == pipeline::FaultOrigin::room) {
                EXPECT_FALSE(f.decision.empty()) << where(operation, version) << f.code << " is beyond the vendor's table and names no decision";
                continue;
            }
            const auto row = std::ranges::find_if(beyond, [&](const Row& r) { return names(r, operation.name, version, f.http_status, f.code); });
            EXPECT_NE(row, beyond.end()) << where(operation, version) << f.http_status << ' ' << f.code
                                         << ": a rule's fault beyond the vendor's table belongs into docs/coverage.md";
            if (row != beyond.end()) used.insert(*row);
        }
    });
    for (const auto& row : beyond) EXPECT_TRUE(used.contains(row)) << "docs/coverage.md: " << row.operation << ' ' << row.code << " is not beyond the table any more";
}

TEST(Contract, KnowsEveryActionOfTheVendor) {
    EXPECT_EQ(api::vendor_action("bindsecuremobilephone", api::master_2022), "BindSecureMobilePhone");
    EXPECT_EQ(api::vendor_action("UnTagResources", api::manager_2020), "UntagResources");
    EXPECT_EQ(api::vendor_action("AttachControlPolicy", api::master_2022), "AttachControlPolicy");
    EXPECT_EQ(api::vendor_action("MakeCoffee", api::master_2022), "");
    EXPECT_EQ(api::vendor_action("AssumeRole", api::master_2022), "");
}

}  // namespace
}  // namespace openrd::tests
