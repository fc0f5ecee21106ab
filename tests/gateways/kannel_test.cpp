// The road of a message through Debian's Kannel to an SMSC, by the real dispatcher.
#include "gateways/kannel.hpp"
#include "delivery/channels.hpp"
#include "delivery/testing.hpp"
#include "delivery/testing_gateway.hpp"
#include "gateways/smsc.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

namespace openrd::tests {
namespace {

using delivery::Fate;
using delivery::testing::TestGateway;
using ::testing::ElementsAre;

class KannelTest : public delivery::testing::DispatcherTest {
  protected:
    void SetUp() override {
        if (const auto why = Kannel::missing(); !why.empty()) GTEST_SKIP() << why;
        kannel_.emplace(smsc_.port());
        receipts_.behave(TestGateway::answer(200, "ok"));
        base::ChannelSettings settings{
            .kind = "kannel", .name = "kannel", .url = kannel_->url(), .user = Kannel::user, .secret = base::Secret(Kannel::password), .receipts_url = receipts_.url()};
        channel_ = delivery::make_channel(settings, ring_, std::make_shared<const delivery::Texts>());
        ASSERT_TRUE(comes_true([&] { return smsc_.linked(); })) << "Kannel has not bound to the SMSC";
    }

    template <class Condition> static bool comes_true(Condition condition) {
        for (int i = 0; i < 1'500; ++i) {
            if (condition()) return true;
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        return condition();
    }
    void begin() { dispatch_to({channel_.get()}); }
    // What was refused for now is due a little later.
    void accept_all(std::int64_t messages) {
        at(delivery::testing::noon);
        // The clock moves and not the time: a slow machine needs more steps, and the life of a code has them.
        for (std::int64_t step = 1; step <= 1'500 && count(store::message_accepted) < messages; ++step) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
            at(delivery::testing::noon + step * 40'000);  // longer than the longest back-off
        }
    }
    // Of one message, in the order in which they came.
    std::vector<Fate> fates(const std::string& message_id) {
        std::vector<Fate> found;
        for (const auto& seen : receipts_.seen()) {
            const auto receipt = channel_->parse_receipt({.method = seen.method, .target = seen.target, .headers = seen.headers, .body = seen.body});
            EXPECT_TRUE(receipt) << "a receipt that is not ours";
            if (receipt && receipt->message_id == std::string(delivery::testing::account) + "-" + message_id) found.push_back(receipt->fate);
        }
        return found;
    }
    bool told(const std::string& message_id, std::size_t receipts) {
        return comes_true([&] { return fates(message_id).size() >= receipts; });
    }

    // Of the clock that accept_all moves.
    static constexpr std::int64_t long_life_ms = 24 * base::hour_ms;

    Smsc smsc_{Kannel::smsc_user, Kannel::smsc_password};
    TestGateway receipts_;
    std::optional<Kannel> kannel_;
    std::unique_ptr<delivery::Channel> channel_;
};
using KannelRoad = KannelTest;

TEST_F(KannelRoad, AMessageArrivesOnceAndIsReportedDelivered) {
    queue("m-1", "65-81231111");
    begin();
    at(delivery::testing::noon);
    EXPECT_EQ(count(store::message_accepted), 1);
    ASSERT_TRUE(told("m-1", 2));
    EXPECT_THAT(fates("m-1"), ElementsAre(Fate::on_its_way, Fate::delivered));
    const auto submitted = smsc_.submitted();
    ASSERT_EQ(submitted.size(), 1u);
    EXPECT_EQ(submitted[0].to, "6581231111");
    EXPECT_EQ(submitted[0].from, "BIND");
    EXPECT_EQ(submitted[0].coding, 0);
    EXPECT_NE(submitted[0].text.find(code("+6581231111")), std::string::npos);
    EXPECT_FALSE(submitted[0].validity.empty()) << "what comes too late is not delivered";
    const auto written = kannel_->written();
    EXPECT_EQ(written.find(code("+6581231111")), std::string::npos);
    EXPECT_EQ(written.find("81231111"), std::string::npos) << "no number in Kannel's logs either";
}

TEST_F(KannelRoad, ChineseGoesAsUcs2InOneMessage) {
    queue("m-1", "852-51231111");
    begin();
    at(delivery::testing::noon);
    ASSERT_TRUE(told("m-1", 2));
    const auto submitted = smsc_.submitted();
    ASSERT_EQ(submitted.size(), 1u);
    EXPECT_EQ(submitted[0].coding, 8);
    EXPECT_TRUE(submitted[0].text.starts_with("\x9A\x8C\x8B\xC1\x78\x01")) << "the first three letters in UTF-16BE";
    EXPECT_LE(submitted[0].text.size(), 140u);
}

TEST_F(KannelRoad, EveryEndOfAMessageIsTold) {
    const std::map<std::string, std::vector<Fate>> expected{{std::string(smsc_rejects), {Fate::rejected}},
                                                            {std::string(smsc_throttles), {Fate::rejected}},
                                                            {std::string(smsc_fails), {Fate::rejected}},
                                                            {std::string(smsc_cannot_deliver), {Fate::on_its_way, Fate::undelivered}},
                                                            {std::string(smsc_lets_expire), {Fate::on_its_way, Fate::undelivered}},
                                                            {std::string(smsc_delivers_rejected), {Fate::on_its_way, Fate::undelivered}},
                                                            {std::string(smsc_tells_nothing), {Fate::on_its_way}}};
    for (const auto& [kind, fates] : expected) queue("m-" + kind, "65-8123" + kind, long_life_ms);
    begin();
    // A carrier that throttles makes Kannel wait, and that is 503 for the others.
    accept_all(static_cast<std::int64_t>(expected.size()));
    EXPECT_EQ(count(store::message_accepted), static_cast<std::int64_t>(expected.size())) << "Kannel takes them all: what the carrier says comes later";
    for (const auto& [kind, list] : expected) {
        EXPECT_TRUE(told("m-" + kind, list.size())) << kind;
        EXPECT_EQ(fates("m-" + kind), list) << kind;
    }
    EXPECT_EQ(smsc_.submitted_to("6581230002"), 1u) << "what the carrier refuses is not tried again";
    EXPECT_EQ(smsc_.submitted_to("6581230001"), 2u) << "what it throttles is, once: it was certainly not sent";
}

TEST_F(KannelRoad, AnAnswerThatIsLostIsNotAskedForWithASecondMessage) {
    queue("m-1", "65-81230005");
    begin();
    at(delivery::testing::noon);
    EXPECT_EQ(count(store::message_accepted), 1);
    // Longer than wait-ack: with another wait-ack-expire Kannel would now have submitted it again.
    std::this_thread::sleep_for(std::chrono::seconds(6));
    EXPECT_EQ(smsc_.submitted_to("6581230005"), 1u);
    EXPECT_TRUE(fates("m-1").empty()) << "nobody knows";
}

TEST_F(KannelRoad, WhileTheCarrierIsAwayNothingIsKeptAndNothingIsLost) {
    smsc_.set_up(false);
    ASSERT_TRUE(comes_true([&] { return !smsc_.linked(); }));
    // Until Kannel has seen it, a message may be taken that waits for the link.
    std::this_thread::sleep_for(std::chrono::seconds(1));
    queue("m-1", "65-81231111", long_life_ms);
    begin();
    at(delivery::testing::noon);
    EXPECT_EQ(count(store::message_queued), 1) << "503: it is tried again";
    EXPECT_EQ(smsc_.submitted().size(), 0u);
    smsc_.set_up(true);
    ASSERT_TRUE(comes_true([&] { return smsc_.linked(); }));
    accept_all(1);
    EXPECT_EQ(count(store::message_accepted), 1);
    ASSERT_TRUE(told("m-1", 2));
    EXPECT_EQ(smsc_.submitted_to("6581231111"), 1u);
}

TEST_F(KannelRoad, ALinkThatDropsInTheMiddleIsKannelsToRepeat) {
    queue("m-1", "65-81230008");
    begin();
    at(delivery::testing::noon);
    EXPECT_EQ(count(store::message_accepted), 1);
    ASSERT_TRUE(told("m-1", 2)) << "the link is back";
    EXPECT_EQ(smsc_.submitted_to("6581230008"), 2u) << "docs/operations/messages.md says so: the code is the same";
    EXPECT_EQ(count(store::message_accepted), 1);
}

TEST_F(KannelRoad, WithoutSmsboxNothingWasSent) {
    kannel_->stop_smsbox();
    queue("m-1", "65-81231111");
    begin();
    at(delivery::testing::noon);
    EXPECT_EQ(count(store::message_queued), 1);
    EXPECT_EQ(smsc_.submitted().size(), 0u);
}

TEST_F(KannelRoad, AWrongPasswordIsTheConfigurationsFault) {
    base::ChannelSettings settings{.kind = "kannel", .name = "kannel", .url = kannel_->url(), .user = Kannel::user, .secret = base::Secret("wrong")};
    const auto channel = delivery::make_channel(settings, ring_, std::make_shared<const delivery::Texts>());
    EXPECT_EQ(channel->send(delivery::testing::message(), {}).outcome, delivery::Sent::channel_down);
}

TEST_F(KannelRoad, OfAThousandMessagesNoneIsLostAndNoneDoubled) {
    constexpr int messages = 1'000;
    std::set<std::string> numbers;
    for (int i = 0; i < messages; ++i) {
        const auto middle = std::to_string(10'000 + i).substr(1);
        queue("m-" + middle, "65-" + middle + "1111", long_life_ms);
        numbers.insert("65" + middle + "1111");
    }
    begin();
    accept_all(messages);
    for (const auto state : {store::message_queued, store::message_sending, store::message_rejected, store::message_unknown, store::message_expired})
        EXPECT_EQ(count(state), 0) << state;
    EXPECT_EQ(count(store::message_accepted), messages);
    EXPECT_TRUE(comes_true([&] { return receipts_.seen().size() >= 2 * messages; })) << receipts_.seen().size();
    const auto submitted = smsc_.submitted();
    EXPECT_EQ(submitted.size(), static_cast<std::size_t>(messages)) << "none doubled";
    std::set<std::string> reached;
    for (const auto& message : submitted) reached.insert(message.to);
    EXPECT_EQ(reached, numbers) << "none lost";
    std::map<std::string, int> delivered;
    for (const auto& seen : receipts_.seen()) {
        const auto receipt = channel_->parse_receipt({.method = seen.method, .target = seen.target, .headers = seen.headers, .body = seen.body});
        ASSERT_TRUE(receipt);
        if (receipt->fate == Fate::delivered) ++delivered[receipt->message_id];
    }
    EXPECT_EQ(delivered.size(), static_cast<std::size_t>(messages));
}

}  // namespace
}  // namespace openrd::tests
