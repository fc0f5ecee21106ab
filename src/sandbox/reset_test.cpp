#include "sandbox/reset.hpp"

#include "sandbox/seed.hpp"
#include "sandbox/testing.hpp"
#include "store/accounts.hpp"
#include "store/facts.hpp"
#include "store/key_uses.hpp"

#include <future>
#include <list>
#include <thread>

namespace openrd::sandbox {
namespace {

using testing::Answer;
using testing::Asking;
using testing::SlowHandler;

class ResetTest : public ::testing::Test {
  protected:
    ResetTest() : ring_(testing::some_ring()) {
        database_->write_and_wait([this](db::Transaction& tx) { seed(tx, ring_, "test.example/audit", 1); });
    }
    Reset::Parts parts() {
        return {.engine = *database_,
                .ring = ring_,
                .clock = clock_,
                .gate = gate_,
                .audit_origin = "test.example/audit",
                .in_flight = [this] { return handler_.in_flight(); },
                .pause = [this] { said_ += "pause "; },
                .forget = [this] { said_ += "forget "; },
                .resume = [this] { said_ += "resume "; }};
    }
    static std::future<std::string> begin(Reset& reset) {
        auto promise = std::make_shared<std::promise<std::string>>();
        reset.begin([promise](const std::string& trouble) { promise->set_value(trouble); });
        return promise->get_future();
    }
    bool has_account(std::string_view id) {
        bool there = false;
        database_->read([&](db::Transaction& tx) { there = store::find_account(tx, id).has_value(); });
        return there;
    }

    testing::Database database_;
    keys::Ring ring_;
    base::Clock clock_;
    SlowHandler handler_;
    Gate gate_{handler_};
    std::string said_;
};

TEST_F(ResetTest, BringsTheSeedBackAndTheClockToRealTime) {
    database_->write_and_wait([](db::Transaction& tx) {
        store::insert_account(tx, {.account_id = "1000000000000099", .account_name = "n", .display_name = "n", .email = "n@x.example", .site = "international"});
        store::put_fact(tx, "planted", "yes");
    });
    clock_.advance_ms(base::day_ms);
    Reset reset(parts());
    EXPECT_EQ(begin(reset).get(), "");
    EXPECT_FALSE(has_account("1000000000000099"));
    EXPECT_TRUE(has_account("1000000000000001"));
    EXPECT_FALSE(clock_.moved());
    EXPECT_EQ(said_, "pause forget resume ");
    database_->read([](db::Transaction& tx) { EXPECT_FALSE(store::find_fact(tx, "planted")); });
}

// The key file does not begin anew: its first root may be retired.
TEST_F(ResetTest, KeepsTheKeysThatAreInUse) {
    const keys::Uses uses{.code = 2, .index = 1, .encryption = 2, .checkpoint = 2};
    keys::Roots roots;
    for (const std::uint32_t id : {1U, 2U}) roots.push_back({.id = id, .bytes = base::Secret(std::string(keys::root_bytes, static_cast<char>('0' + id)))});
    ring_ = keys::Ring(roots);
    ring_.use(uses);
    Reset reset(parts());
    EXPECT_EQ(begin(reset).get(), "");
    database_->read([&](db::Transaction& tx) { EXPECT_EQ(store::load_key_uses(tx), uses); });
}

TEST_F(ResetTest, WaitsForRequestsUnderWayAndHoldsBackThoseThatCome) {
    Reset reset(parts());
    Asking early{.target = "/early"}, late{.target = "/late"};
    Answer early_answer, late_answer;
    gate_.handle(early.request(), early_answer.done());
    auto finished = begin(reset);
    // The gate is closed once a request does not come through.
    std::list<Asking> probes;
    for (std::size_t through = 0; through == probes.size(); through = handler_.targets().size() - 1)
        gate_.handle(probes.emplace_back(Asking{.target = "/probe"}).request(), [](const pipeline::Response&) {});
    gate_.handle(late.request(), late_answer.done());
    EXPECT_NE(finished.wait_for(std::chrono::milliseconds(20)), std::future_status::ready) << "an earlier request is in flight";
    EXPECT_FALSE(late_answer.there());
    handler_.answer_all();
    EXPECT_EQ(finished.get(), "");
    EXPECT_TRUE(early_answer.there());
    // It reaches the pipeline after the reset.
    while (handler_.targets().back() != "/late") std::this_thread::yield();
    handler_.answer_all();
    late_answer.get();
    EXPECT_EQ(late_answer.times(), 1);
}

TEST_F(ResetTest, AnswersAllWhoAsk) {
    Reset reset(parts());
    std::vector<std::future<std::string>> asked;
    for (int i = 0; i < 8; ++i) asked.push_back(begin(reset));
    for (auto& one : asked) EXPECT_EQ(one.get(), "");
}

TEST_F(ResetTest, SaysSoWhenTheDatabaseDoesNotTakeIt) {
    auto failing = parts();
    failing.forget = [] { throw std::runtime_error("the worst"); };
    Reset reset(std::move(failing));
    EXPECT_NE(begin(reset).get(), "");
    EXPECT_EQ(said_, "pause resume ");
    Asking asking;
    gate_.handle(asking.request(), [](const pipeline::Response&) {});
    EXPECT_EQ(handler_.in_flight(), 1u) << "the gate is open again";
    handler_.answer_all();
}

TEST_F(ResetTest, RefusesOnceTheServerStops) {
    Reset reset(parts());
    reset.stop();
    EXPECT_NE(begin(reset).get(), "");
}

}  // namespace
}  // namespace openrd::sandbox
