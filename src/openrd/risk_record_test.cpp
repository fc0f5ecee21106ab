#include "openrd/risk_record.hpp"

#include "base/clock.hpp"
#include "delivery/risk_probe.hpp"
#include "openrd/data.hpp"
#include "store/audit_events.hpp"
#include "store/suppressions.hpp"
#include "store/verifications.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace openrd {
namespace {

const std::string member_id = "1000000000000002", management_id = "1000000000000001";

class SwappedSim final : public delivery::RiskProbe {
  public:
    delivery::RiskAnswer ask(const delivery::OutgoingMessage&, const std::stop_token&) override { return {.risk = delivery::Risk::refused, .reason = "sim_swap"}; }
};

class NothingLeaves final : public delivery::Channel {
  public:
    std::string_view name() const override { return "none"; }
    bool covers(const phone::MobileNumber&) const override { return true; }
    delivery::SendResult send(const delivery::OutgoingMessage&, std::stop_token) override {
        ADD_FAILURE() << "something is sent";
        return {};
    }
};

class RiskProbe : public ::testing::Test {
  protected:
    RiskProbe() : data_(open_sandbox_data({.directory = directory_ + "/data", .key_file = {}}, false, base::Settings(), base::Clock())) {
        data_.engine->write_and_wait([&](db::Transaction& tx) {
            store::put_verification(tx, {.account_id = member_id,
                                         .directory_id = "rd-sandbx",
                                         .verification_id = std::string(16, 'v'),
                                         .phone_index = index(),
                                         .phone_sealed = "s",
                                         .created_by = "me",
                                         .created_at_ms = base::real_now_ms(),
                                         .expires_at_ms = base::real_now_ms() + base::minute_ms});
        });
    }
    ~RiskProbe() override {
        data_.engine->close();
        std::filesystem::remove_all(directory_);
    }
    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "risk_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    std::string index() const { return data_.ring.blind_index(number_.reveal_e164()); }
    std::string state() {
        std::string state;
        data_.engine->read([&](db::Transaction& tx) { state = store::find_verification(tx, member_id, store::purpose_bind)->state; });
        return state;
    }

    std::string directory_ = make_directory();
    const phone::MobileNumber number_ = *phone::MobileNumber::parse("65-81234567");
    Data data_;
};

TEST_F(RiskProbe, ASwappedSimIsRefusedCancelledAndAudited) {
    SwappedSim probe;
    NothingLeaves behind;
    delivery::ProbedChannel channel(behind, probe, false, [&](const delivery::OutgoingMessage& message, const std::string& reason) {
        record_risk_refusal(*data_.engine, data_.ring, message, reason, base::real_now_ms());
    });
    const auto result = channel.send({.id = "m-1", .to = number_, .account_id = member_id, .purpose = "bind", .template_id = {}, .code = base::Secret("042137")}, {});
    EXPECT_EQ(result.outcome, delivery::Sent::rejected);
    EXPECT_EQ(state(), store::verification_cancelled);
    std::vector<store::AuditEvent> events;
    data_.engine->read([&](db::Transaction& tx) { events = store::audit_events_after(tx, 0, 100); });
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].account_id, management_id);
    EXPECT_EQ(events[0].event_name, "RefuseVerificationCode");
    EXPECT_EQ(events[0].user_name, "system:risk-probe");
    EXPECT_NE(events[0].body.find("sim_swap"), std::string::npos);
    EXPECT_EQ(events[0].body.find("81234567"), std::string::npos);
    EXPECT_EQ(events[0].body.find("042137"), std::string::npos);
}

TEST_F(RiskProbe, ARefusalConcernsTheCodeOfThatPhoneOnly) {
    delivery::OutgoingMessage message{.id = "m-1", .to = *phone::MobileNumber::parse("65-91234567"), .account_id = member_id, .purpose = "bind", .template_id = {}, .code = {}};
    record_risk_refusal(*data_.engine, data_.ring, message, "port", base::real_now_ms());
    EXPECT_EQ(state(), store::verification_pending) << "another phone's message was refused: the code under way is not that one";
}

TEST_F(RiskProbe, ASuppressedPhoneIsRefusedWhenItsMessageIsDue) {
    const auto refused = [&] {
        std::string why;
        data_.engine->read([&](db::Transaction& tx) { why = refuse_suppressed(tx, data_.ring, number_, 1000); });
        return why;
    };
    EXPECT_EQ(refused(), "");
    data_.engine->write_and_wait(
        [&](db::Transaction& tx) { store::put_suppression(tx, {.phone_index = index(), .reason = "stop", .created_by = "kannel", .created_at_ms = 1, .until_ms = {}}); });
    EXPECT_EQ(refused(), "suppressed");
}

// Twilio answers 21610 to what is sent to a phone that has said STOP.
TEST_F(RiskProbe, APhoneThatHasSaidStopIsSuppressedAndAuditedOnce) {
    const auto stop = [&] { data_.engine->write_and_wait([&](db::Transaction& tx) { suppress_opted_out(tx, data_.ring, number_, "twilio", 1000); }); };
    stop();
    stop();
    std::vector<store::Suppression> list;
    std::vector<store::AuditEvent> events;
    data_.engine->read([&](db::Transaction& tx) {
        list = store::list_suppressions(tx, "", 10);
        events = store::audit_events_after(tx, 0, 100);
    });
    ASSERT_EQ(list.size(), 1u);
    EXPECT_EQ(list[0].phone_index, index());
    EXPECT_EQ(list[0].reason, "stop");
    EXPECT_EQ(list[0].created_by, "twilio");
    EXPECT_FALSE(list[0].until_ms);
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].event_name, "SuppressPhone");
    EXPECT_EQ(events[0].user_name, "system:dispatcher");
    EXPECT_EQ(events[0].body.find("81234567"), std::string::npos);
}

}  // namespace
}  // namespace openrd
