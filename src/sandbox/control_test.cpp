#include "sandbox/control.hpp"

#include "api/registry.hpp"
#include "sandbox/seed.hpp"
#include "sandbox/testing.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace openrd::sandbox {
namespace {

using testing::Answer;
using testing::Asking;
using testing::SlowHandler;

class ControlTest : public ::testing::Test {
  protected:
    ControlTest() : ring_(testing::some_ring()) {
        database_->write_and_wait([this](db::Transaction& tx) { seed(tx, ring_, "test.example/audit", 1); });
    }
    ~ControlTest() override { control_.drain(); }

    Control::Parts parts(bool sandbox) {
        return {.sandbox = sandbox,
                .listen_address = "127.0.0.1",
                .engine = *database_,
                .clock = clock_,
                .inbox = inbox_,
                .reset = reset_,
                .clock_moved = [this] { ++clock_moves_; },
                .troubles = [this] { return troubles_; }};
    }
    pipeline::Response ask(Asking asking) {
        Answer answer;
        control_.handle(asking.request(), answer.done());
        return answer.get();
    }
    pipeline::Response get(std::string target) { return ask({.target = std::move(target)}); }
    void deliver(const std::string& id, const char* to, const char* account = "1000000000000002", const char* purpose = "bind") {
        inbox_.deliver({.id = id,
                        .channel = "inbox",
                        .to = *phone::MobileNumber::parse(to),
                        .account_id = account,
                        .purpose = purpose,
                        .text = base::Secret("Your code is 123456."),
                        .code = base::Secret("123456"),
                        .sent_at_ms = 1,
                        .expires_at_ms = 600'001});
    }
    static std::string ids(const pipeline::Response& response) {
        std::string out;
        const auto body = boost::json::parse(response.body);
        for (const auto& message : body.at("messages").as_array()) out += std::string(message.at("id").as_string()) + " ";
        return out;
    }

    testing::Database database_;
    keys::Ring ring_;
    base::Clock clock_;
    delivery::Inbox inbox_;
    SlowHandler handler_;
    Gate gate_{handler_};
    int clock_moves_ = 0;
    std::vector<std::string> troubles_;
    Reset reset_{{.engine = *database_,
                  .ring = ring_,
                  .clock = clock_,
                  .gate = gate_,
                  .audit_origin = "test.example/audit",
                  .in_flight = [this] { return handler_.in_flight(); },
                  .pause = [] {},
                  .forget = [this] { inbox_.clear(); },
                  .resume = [] {}}};
    Control control_{parts(true)};
};

TEST(IsControl, IsWhatStandsUnderTheRoot) {
    for (const char* target : {"/_openrd", "/_openrd/", "/_openrd/inbox", "/_openrd?x", "/_openrd/inbox?to=1"}) EXPECT_TRUE(is_control(target)) << target;
    for (const char* target : {"/", "", "/_openrdx", "/x/_openrd/", "/?Action=_openrd"}) EXPECT_FALSE(is_control(target)) << target;
}

TEST_F(ControlTest, AnswersWithoutCorsHeadersAndIsNotKept) {
    for (const char* target : {"/_openrd/health/live", "/_openrd/nothing", "/_openrd/inbox"}) {
        const auto answer = get(target);
        EXPECT_FALSE(answer.cors) << target;
        EXPECT_EQ(answer.headers.front().second, "no-store") << target;
    }
}

TEST_F(ControlTest, SaysThatItLivesAndIsReady) {
    EXPECT_EQ(get("/_openrd/health/live").status, 200);
    EXPECT_EQ(get("/_openrd/health/ready").status, 200);
    EXPECT_EQ(get("/_openrd/health/ready").content_type, "application/json");
}

TEST_F(ControlTest, SaysWhyItIsNotReady) {
    troubles_ = {"The audit log is not sealed any more."};
    control_.drain();
    const auto answer = get("/_openrd/health/ready");
    EXPECT_EQ(answer.status, 503);
    const auto problem = boost::json::parse(answer.body);
    EXPECT_EQ(problem.at("status").as_int64(), 503);
    ASSERT_EQ(problem.at("reasons").as_array().size(), 2u);
    EXPECT_EQ(problem.at("reasons").as_array()[0].as_string(), "The audit log is not sealed any more.");
    EXPECT_EQ(get("/_openrd/health/live").status, 200);
}

TEST_F(ControlTest, SaysWhatAReadyServerLacks) {
    auto with_warnings = parts(false);
    with_warnings.warnings = [] { return std::vector<std::string>{"No channel."}; };
    Control control(with_warnings);
    Asking asking{.target = "/_openrd/health/ready"};
    Answer answer;
    control.handle(asking.request(), answer.done());
    EXPECT_EQ(answer.get().status, 200);
    EXPECT_EQ(answer.get().body, R"({"status":"ready","warnings":["No channel."]})");
}

TEST_F(ControlTest, ShowsTheMetricsAsPrometheusReadsThem) {
    for (const bool sandbox : {true, false}) {
        auto with_metrics = parts(sandbox);
        with_metrics.metrics = [] { return std::string("openrd_requests_in_flight 0\n"); };
        Control control(with_metrics);
        Asking asking{.target = "/_openrd/metrics"};
        Answer answer;
        control.handle(asking.request(), answer.done());
        EXPECT_EQ(answer.get().status, 200);
        EXPECT_EQ(answer.get().content_type, "text/plain; version=0.0.4; charset=utf-8");
        EXPECT_EQ(answer.get().body, "openrd_requests_in_flight 0\n");
    }
}

TEST_F(ControlTest, RefusesUnknownPagesMethodsAndQueriesAsProblems) {
    const std::tuple<const char*, const char*, int> cases[] = {{"GET", "/_openrd", 404},
                                                               {"GET", "/_openrd/", 404},
                                                               {"GET", "/_openrd/state", 404},
                                                               {"GET", "/_openrd/inbox/", 404},
                                                               {"POST", "/_openrd/inbox", 405},
                                                               {"GET", "/_openrd/reset", 405},
                                                               {"OPTIONS", "/_openrd/inbox", 405},
                                                               {"PATCH", "/_openrd/clock", 405},
                                                               {"GET", "/_openrd/clock?x=1", 400},
                                                               {"GET", "/_openrd/inbox?acount=1", 400},
                                                               {"GET", "/_openrd/inbox?a=%", 400},
                                                               {"GET", "/_openrd/inbox?wait=5", 400},
                                                               {"GET", "/_openrd/inbox?wait=-1s", 400},
                                                               {"GET", "/_openrd/inbox?wait=11m", 400},
                                                               {"POST", "/_openrd/reset?really=yes", 400}};
    for (const auto& [method, target, status] : cases) {
        const auto answer = ask({.method = method, .target = target});
        EXPECT_EQ(answer.status, status) << method << " " << target;
        EXPECT_EQ(answer.content_type, "application/problem+json");
        const auto problem = boost::json::parse(answer.body);
        EXPECT_EQ(problem.at("type").as_string(), "about:blank");
        EXPECT_EQ(problem.at("status").as_int64(), status);
        EXPECT_FALSE(problem.at("title").as_string().empty());
        EXPECT_FALSE(problem.at("detail").as_string().empty());
    }
}

TEST_F(ControlTest, NamesTheMethodsThatAPageTakes) {
    const auto answer = ask({.method = "POST", .target = "/_openrd/clock"});
    const auto allow = std::ranges::find(answer.headers, "allow", &std::pair<std::string, std::string>::first);
    ASSERT_NE(allow, answer.headers.end());
    EXPECT_EQ(allow->second, "GET, PUT, DELETE");
}

TEST_F(ControlTest, IsNotForPagesOfAnotherOrigin) {
    deliver("m1", "65-81234567");
    Asking asking{.target = "/_openrd/inbox"};
    asking.headers.emplace_back("Origin", "http://evil.example");
    const auto answer = ask(asking);
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.body.find("123456"), std::string::npos);
    EXPECT_EQ(ask({.method = "DELETE", .target = "/_openrd/inbox", .headers = {{"Host", "evil.example"}}}).status, 403);
    EXPECT_EQ(inbox_.size(), 1u);
}

TEST_F(ControlTest, ShowsMessagesNewestFirst) {
    deliver("m1", "65-81234567");
    deliver("m2", "65-81230000", "1000000000000003");
    deliver("m3", "65-81234567");
    EXPECT_EQ(ids(get("/_openrd/inbox")), "m3 m2 m1 ");
    const auto answer = get("/_openrd/inbox?account=1000000000000003");
    const auto message = boost::json::parse(answer.body).at("messages").as_array().at(0);
    EXPECT_EQ(message.at("to").as_string(), "65-81230000");
    EXPECT_EQ(message.at("account_id").as_string(), "1000000000000003");
    EXPECT_EQ(message.at("code").as_string(), "123456");
    EXPECT_EQ(message.at("purpose").as_string(), "bind");
}

TEST_F(ControlTest, FindsMessagesByEachOfTheQuerysWords) {
    deliver("m1", "65-81234567");
    deliver("m2", "65-81230000", "1000000000000003", "enable");
    for (const char* to : {"65-81234567", "+6581234567", "%2B6581234567"}) EXPECT_EQ(ids(get(std::string("/_openrd/inbox?to=") + to)), "m1 ") << to;
    EXPECT_EQ(ids(get("/_openrd/inbox?purpose=enable")), "m2 ");
    EXPECT_EQ(ids(get("/_openrd/inbox?purpose=bind&account=1000000000000003")), "");
    EXPECT_EQ(ids(get("/_openrd/inbox?after=1")), "m2 ");
    EXPECT_EQ(ids(get("/_openrd/inbox?to=nobody")), "");
}

TEST_F(ControlTest, EmptiesTheInbox) {
    deliver("m1", "65-81234567");
    EXPECT_EQ(ask({.method = "DELETE", .target = "/_openrd/inbox"}).status, 204);
    EXPECT_EQ(ids(get("/_openrd/inbox")), "");
}

TEST_F(ControlTest, HoldsTheCallUntilAMessageComes) {
    Asking asking{.target = "/_openrd/inbox?to=65-81234567&wait=60s"};
    Answer answer;
    control_.handle(asking.request(), answer.done());
    deliver("other", "65-81230000");
    EXPECT_FALSE(answer.there());
    deliver("m1", "65-81234567");
    EXPECT_EQ(ids(answer.get()), "m1 ");
    EXPECT_EQ(answer.times(), 1);
}

TEST_F(ControlTest, AnswersWithNothingWhenTheTimeIsUp) {
    EXPECT_EQ(ids(get("/_openrd/inbox?wait=10ms")), "");
    EXPECT_EQ(ids(get("/_openrd/inbox?wait=0s")), "");
}

TEST_F(ControlTest, LetsNobodyWaitWhenTheServerStops) {
    Asking asking{.target = "/_openrd/inbox?after=0&wait=60s"};
    Answer answer;
    control_.handle(asking.request(), answer.done());
    control_.drain();
    EXPECT_EQ(ids(answer.get()), "");
    EXPECT_EQ(ids(get("/_openrd/inbox?wait=60s")), "");
    deliver("late", "65-81234567");
    EXPECT_EQ(answer.times(), 1);
}

TEST_F(ControlTest, MovesTheClockAndSaysSo) {
    EXPECT_EQ(ask({.method = "PUT", .target = "/_openrd/clock", .body = R"({"advance":"11m"})"}).status, 200);
    EXPECT_TRUE(clock_.moved());
    EXPECT_EQ(get("/_openrd/clock").status, 200);
    EXPECT_EQ(ask({.method = "DELETE", .target = "/_openrd/clock"}).status, 204);
    EXPECT_FALSE(clock_.moved());
    EXPECT_EQ(clock_moves_, 2);
}

TEST_F(ControlTest, ResetsTheSandbox) {
    deliver("m1", "65-81234567");
    clock_.advance_ms(base::day_ms);
    const auto answer = ask({.method = "POST", .target = "/_openrd/reset"});
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(inbox_.size(), 0u);
    EXPECT_FALSE(clock_.moved());
}

TEST_F(ControlTest, DescribesEveryOperationInEveryVersion) {
    const auto described = boost::json::parse(get("/_openrd/operations").body).at("operations").as_array();
    std::size_t served = 0;
    for (const auto* operation : api::operations())
        for (const auto version : api::every_version) served += operation->served_as.has(version) ? 1 : 0;
    EXPECT_EQ(described.size(), served);
    EXPECT_GT(served, api::operations().size());
}

TEST_F(ControlTest, HasNoPageOfTheSandboxInProduction) {
    Control production(parts(false));
    deliver("m1", "65-81234567");
    const std::pair<const char*, const char*> pages[] = {{"GET", "/_openrd/inbox"}, {"DELETE", "/_openrd/inbox"}, {"POST", "/_openrd/reset"},    {"GET", "/_openrd/clock"},
                                                         {"PUT", "/_openrd/clock"}, {"DELETE", "/_openrd/clock"}, {"GET", "/_openrd/operations"}};
    for (const auto& [method, target] : pages) {
        Asking asking{.method = method, .target = target, .headers = {{"Host", "rd.example.com"}}};
        Answer answer;
        production.handle(asking.request(), answer.done());
        EXPECT_EQ(answer.get().status, 404) << method << " " << target;
    }
    Asking health{.target = "/_openrd/health/ready", .headers = {{"Host", "rd.example.com"}}};
    Answer answer;
    production.handle(health.request(), answer.done());
    EXPECT_EQ(answer.get().status, 200);
    EXPECT_EQ(inbox_.size(), 1u);
}

}  // namespace
}  // namespace openrd::sandbox
