#include "sandbox/control.hpp"

#include "api/registry.hpp"
#include "base/log.hpp"
#include "pipeline/describe.hpp"
#include "sandbox/answers.hpp"
#include "sandbox/guard.hpp"
#include "store/facts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace openrd::sandbox {
namespace {

using pipeline::Done;
using pipeline::Request;

constexpr std::string_view root = "/_openrd";

std::string list_of(const std::vector<std::string>& sentences) {
    boost::json::array list;
    for (const auto& sentence : sentences) list.emplace_back(sentence);
    return boost::json::serialize(list);
}

pipeline::Response ready_answer(const std::vector<std::string>& warnings) {
    if (warnings.empty()) return json_answer(R"({"status":"ready"})");
    return json_answer(R"({"status":"ready","warnings":)" + list_of(warnings) + "}");
}

}  // namespace

bool is_control(std::string_view target) {
    if (!target.starts_with(root)) return false;
    const auto rest = target.substr(root.size());
    return rest.empty() || rest.front() == '/' || rest.front() == '?';
}

struct Control::Way {
    std::string_view path, method;
    bool takes_query = false;
    bool in_production = false;
    void (Control::*go)(const Request&, const Target&, Done&) = nullptr;
};

std::span<const Control::Way> Control::ways() {
    static constexpr Way all[] = {
        {.path = "/health/live", .method = "GET", .in_production = true, .go = &Control::live},
        {.path = "/health/ready", .method = "GET", .in_production = true, .go = &Control::ready},
        {.path = "/metrics", .method = "GET", .in_production = true, .go = &Control::metrics},
        {.path = "/inbox", .method = "GET", .takes_query = true, .go = &Control::read_inbox},
        {.path = "/inbox", .method = "DELETE", .go = &Control::empty_inbox},
        {.path = "/reset", .method = "POST", .go = &Control::reset},
        {.path = "/clock", .method = "GET", .go = &Control::read_clock},
        {.path = "/clock", .method = "PUT", .go = &Control::move_clock},
        {.path = "/clock", .method = "DELETE", .go = &Control::reset_clock},
        {.path = "/operations", .method = "GET", .go = &Control::operations},
    };
    return all;
}

Control::Control(Parts parts) : parts_(std::move(parts)), clock_(parts_.clock, parts_.clock_moved), inbox_(parts_.inbox) {}

void Control::handle(const Request& request, Done done) {
    if (parts_.sandbox)
        if (const auto reason = refuse_foreign(request, parts_.listen_address); !reason.empty()) return done(problem(403, reason));
    const auto target = parse_target(request.target);
    if (!target) return done(problem(400, "The query is malformed, or says something twice."));
    const auto path = target->path.substr(std::min(root.size(), target->path.size()));
    std::string allow;
    for (const Way& way : ways()) {
        if (way.path != path || (!parts_.sandbox && !way.in_production)) continue;
        if (way.method == request.method) {
            if (!way.takes_query && !target->query.empty()) return done(problem(400, "This page takes no query."));
            return (this->*way.go)(request, *target, done);
        }
        allow += (allow.empty() ? "" : ", ") + std::string(way.method);
    }
    if (allow.empty()) return done(problem(404, "There is no such page."));
    auto refusal = problem(405, "This page is not for that method.");
    refusal.headers.emplace_back("allow", allow);
    done(std::move(refusal));
}

void Control::drain() {
    draining_.store(true, std::memory_order_release);
    inbox_.close();
}

void Control::live(const Request&, const Target&, Done& done) { done(json_answer(R"({"status":"live"})")); }

void Control::ready(const Request&, const Target&, Done& done) {
    auto reasons = parts_.troubles();
    if (draining_.load(std::memory_order_acquire)) reasons.emplace_back("The server is stopping.");
    try {
        parts_.engine.read([](db::Transaction& tx) { store::find_fact(tx, store::fact_made_by); });
    } catch (const std::exception& error) {
        base::log::error("the database cannot be read", {{"reason", error.what()}});
        reasons.emplace_back("The database cannot be read.");
    }
    if (reasons.empty()) return done(ready_answer(parts_.warnings ? parts_.warnings() : std::vector<std::string>()));
    auto answer = problem(503, "The server is not ready.");
    answer.body.pop_back();  // RFC 9457 3.2: members of its own
    answer.body += ",\"reasons\":" + list_of(reasons) + "}";
    done(std::move(answer));
}

void Control::metrics(const Request&, const Target&, Done& done) { done(text_answer(parts_.metrics ? parts_.metrics() : std::string())); }

void Control::read_inbox(const Request&, const Target& target, Done& done) { inbox_.get(target, std::move(done)); }

void Control::empty_inbox(const Request&, const Target&, Done& done) { done(inbox_.remove()); }

void Control::reset(const Request&, const Target&, Done& done) {
    parts_.reset.begin([done = std::move(done)](const std::string& trouble) { done(trouble.empty() ? empty_answer() : problem(503, trouble)); });
}

void Control::read_clock(const Request&, const Target&, Done& done) { done(clock_.get()); }

void Control::move_clock(const Request& request, const Target&, Done& done) { done(clock_.put(request.body)); }

void Control::reset_clock(const Request&, const Target&, Done& done) { done(clock_.remove()); }

void Control::operations(const Request&, const Target&, Done& done) {
    std::string body = R"({"operations":[)";
    for (const auto* operation : api::operations())
        for (const auto version : api::every_version) {
            if (!operation->served_as.has(version)) continue;
            if (body.back() != '[') body += ',';
            body += pipeline::describe_as_json(*operation, version);
        }
    done(json_answer(body + "]}"));
}

}  // namespace openrd::sandbox
