#include "delivery/receipt_intake.hpp"

#include "delivery/receipts.hpp"
#include "delivery/testing.hpp"
#include "store/verifications.hpp"

#include <fmt/format.h>

#include <future>

namespace openrd::delivery::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Tells its receipts as Kannel does, in the query.
class TellingChannel : public ScriptedChannel {
  public:
    explicit TellingChannel(const keys::Ring& ring, std::string name = "gateway") : ScriptedChannel(std::move(name)), ring_(ring) {}
    std::optional<Receipt> parse_receipt(const ReceiptRequest& request) const override {
        auto message = message_of_receipt(ring_, name(), request.target);
        if (!message) return {};
        const auto d = query_value(request.target, "d");
        if (d == "throw") throw std::runtime_error("65-81234567");
        return Receipt{.message_id = *std::move(message),
                       .fate = d == "1"   ? Fate::delivered
                               : d == "8" ? Fate::on_its_way
                                          : Fate::undelivered,
                       .provider_ref = {},
                       .provider_code = d};
    }

  private:
    const keys::Ring& ring_;
};

class ReceiptsTaken : public DispatcherTest {
  protected:
    ~ReceiptsTaken() override { dispatcher_.reset(); }

    std::string address(std::string_view id, std::string_view query, std::string_view channel = "gateway") const {
        return receipt_path(ring_, channel, std::string(account) + "-" + std::string(id)) + "?" + std::string(query);
    }
    ReceiptIntake::Answer take_in(const std::string& target, std::string_view method = "GET", const std::string& body = {}) {
        std::promise<ReceiptIntake::Answer> told;
        intake_.take({.method = method, .target = target, .headers = {}, .body = body}, [&](ReceiptIntake::Answer answer) { told.set_value(answer); });
        return told.get_future().get();
    }
    void accepted(const std::string& id) {
        queue(id);
        dispatch_to({&telling_});
        dispatcher_->drained();
        dispatcher_->stop();
    }

    TellingChannel telling_{ring_};
    Router router_{&telling_};
    ReceiptIntake intake_{engine_, ring_, clock_, router_, &counters_};
};

TEST_F(ReceiptsTaken, MoveAnAcceptedMessageForward) {
    accepted("m-1");
    clock_.set_ms(noon + 4'000);
    EXPECT_EQ(take_in(address("m-1", "d=8")), ReceiptIntake::Answer::taken);
    EXPECT_EQ(row("m-1").state, store::message_accepted);
    EXPECT_EQ(take_in(address("m-1", "d=1")), ReceiptIntake::Answer::taken);
    EXPECT_EQ(row("m-1").state, store::message_delivered);
    EXPECT_EQ(take_in(address("m-1", "d=2")), ReceiptIntake::Answer::taken) << "it may be said, and changes nothing";
    EXPECT_EQ(row("m-1").state, store::message_delivered);
    EXPECT_EQ(story("m-1"), "sending accepted receipt_delivered");
    std::string text;
    append_prometheus(text, counters_.snapshot());
    EXPECT_THAT(text, HasSubstr("openrd_message_delivery_seconds_bucket{channel=\"gateway\",country=\"65\",le=\"2\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("openrd_message_delivery_seconds_bucket{channel=\"gateway\",country=\"65\",le=\"5\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("openrd_message_delivery_seconds_sum{channel=\"gateway\",country=\"65\"} 4.000\n"));
}

TEST_F(ReceiptsTaken, SayThatAMessageWasNotDelivered) {
    accepted("m-1");
    EXPECT_EQ(take_in(address("m-1", "d=16")), ReceiptIntake::Answer::taken);
    EXPECT_EQ(row("m-1").state, store::message_undelivered);
    EXPECT_EQ(row("m-1").provider_code, "16");
    take_in(address("m-1", "d=1"));
    EXPECT_EQ(row("m-1").state, store::message_undelivered);
}

TEST_F(ReceiptsTaken, WithoutTheTokenAreToldNothingAndChangeNothing) {
    accepted("m-1");
    auto forged = address("m-1", "d=1");
    auto& digit = forged[forged.find('?') - 1];
    digit = digit == '0' ? '1' : '0';
    const auto other_message = address("m-2", "d=1");
    const auto swapped = std::string(other_message).replace(other_message.find("m-2"), 3, "m-1");
    for (const auto& target : {forged, swapped, address("m-1", "d=1", "elsewhere"), std::string(receipts_prefix), std::string(receipts_prefix) + "gateway", std::string("/")})
        EXPECT_EQ(take_in(target), ReceiptIntake::Answer::none) << target;
    EXPECT_EQ(take_in(address("m-1", "d=1"), "DELETE"), ReceiptIntake::Answer::none);
    EXPECT_EQ(take_in(address("m-1", "d=1"), "POST", std::string(ReceiptIntake::most_bytes, 'x')), ReceiptIntake::Answer::none);
    EXPECT_EQ(take_in(address("m-1", "d=throw")), ReceiptIntake::Answer::none);
    EXPECT_EQ(row("m-1").state, store::message_accepted);
}

// Threat 14: whoever can tell receipts can tell nothing about codes.
TEST_F(ReceiptsTaken, ChangeNothingOfACode) {
    const auto code = [&] {
        std::optional<store::Verification> found;
        engine_.read([&](db::Transaction& tx) { found = store::find_verification(tx, account, store::purpose_bind); });
        engine_.idle();
        const auto& v = found.value();
        return fmt::format("{} {} {} {} {} {} {}", v.state, v.attempts, v.failures, v.locked_until_ms, v.expires_at_ms, v.sends, v.last_sent_at_ms);
    };
    engine_.write_and_wait([&](db::Transaction& tx) {
        store::put_verification(tx, {.account_id = std::string(account),
                                     .directory_id = "rd-1",
                                     .verification_id = std::string(16, 'v'),
                                     .phone_index = "i",
                                     .phone_sealed = "s",
                                     .attempts = 2,
                                     .sends = 1,
                                     .last_sent_at_ms = noon,
                                     .created_by = "me",
                                     .created_at_ms = noon,
                                     .expires_at_ms = noon + 600'000,
                                     .failures = 2});
    });
    const auto before = code();
    accepted("m-1");
    for (const auto* kind : {"d=8", "d=2", "d=1", "d=4"}) {
        EXPECT_EQ(take_in(address("m-1", kind)), ReceiptIntake::Answer::taken);
        EXPECT_EQ(code(), before) << kind;
    }
}

TEST_F(ReceiptsTaken, OfAMessageThatIsNotThereAreTakenLikeAnyOther) { EXPECT_EQ(take_in(address("m-9", "d=1")), ReceiptIntake::Answer::taken); }

TEST_F(ReceiptsTaken, ResolveAnUnknownMessage) {
    telling_.then(Sent::unknown).then(Sent::unknown);
    accepted("m-1");
    accepted("m-2");
    ASSERT_EQ(count(store::message_unknown), 2);
    take_in(address("m-1", "d=8"));
    take_in(address("m-2", "d=1"));
    EXPECT_EQ(row("m-1").state, store::message_accepted);
    EXPECT_EQ(row("m-2").state, store::message_delivered);
}

TEST_F(ReceiptsTaken, ThatComeBeforeTheAnswerAreKept) {
    telling_.then([&](const OutgoingMessage& message, const std::stop_token&) {
        EXPECT_EQ(take_in(receipt_path(ring_, "gateway", message.id) + "?d=8"), ReceiptIntake::Answer::taken);
        EXPECT_EQ(take_in(receipt_path(ring_, "gateway", message.id) + "?d=1"), ReceiptIntake::Answer::taken);
        return SendResult{.outcome = Sent::accepted, .provider_ref = {}, .provider_code = {}};
    });
    accepted("m-1");
    EXPECT_EQ(row("m-1").state, store::message_delivered);
    EXPECT_EQ(story("m-1"), "sending receipt_accepted receipt_delivered accepted");
}

TEST_F(ReceiptsTaken, ThatComeBeforeAWorkerDiesSayWhatHeCouldNot) {
    queue("m-1");
    ASSERT_EQ(take(), 1u);
    take_in(address("m-1", "d=1"));
    EXPECT_EQ(row("m-1").state, store::message_sending);
    dispatch_to({&telling_});
    at(noon + lease_ms);
    EXPECT_EQ(row("m-1").state, store::message_delivered);
    EXPECT_EQ(telling_.count(), 0u);
}

TEST_F(ReceiptsTaken, OfAnotherChannelThanTheOneThatHasTheMessageChangeNothing) {
    TellingChannel other(ring_, "other");
    const Router both{&telling_, &other};
    ReceiptIntake intake(engine_, ring_, clock_, both);
    accepted("m-1");
    std::promise<ReceiptIntake::Answer> told;
    const auto target = address("m-1", "d=1", "other");
    intake.take({.method = "GET", .target = target, .headers = {}, .body = {}}, [&](ReceiptIntake::Answer answer) { told.set_value(answer); });
    EXPECT_EQ(told.get_future().get(), ReceiptIntake::Answer::taken);
    EXPECT_EQ(row("m-1").state, store::message_accepted);
}

TEST_F(ReceiptsTaken, ThatCannotBeWrittenDownMayBeToldAgain) {
    accepted("m-1");
    engine_.writes_to_fail = 1;
    EXPECT_EQ(take_in(address("m-1", "d=1")), ReceiptIntake::Answer::not_now);
    EXPECT_EQ(take_in(address("m-1", "d=1")), ReceiptIntake::Answer::taken);
    EXPECT_EQ(row("m-1").state, store::message_delivered);
}

TEST_F(ReceiptsTaken, InAFloodWaitInLineOnlySoLong) {
    accepted("m-1");
    // The writer is held up, so that nothing that is begun comes to an end.
    std::promise<void> begun, go_on;
    engine_.write(
        [&](db::Transaction&) {
            begun.set_value();
            go_on.get_future().wait();
        },
        [](db::Outcome, const std::exception_ptr&) {});
    begun.get_future().wait();
    std::atomic<int> taken{0}, refused{0}, answered{0};
    const auto target = address("m-1", "d=1");
    const int flood = static_cast<int>(ReceiptIntake::most_at_once) + 100;
    for (int i = 0; i < flood; ++i)
        intake_.take({.method = "GET", .target = target, .headers = {}, .body = {}}, [&](ReceiptIntake::Answer answer) {
            ++(answer == ReceiptIntake::Answer::taken ? taken : refused);
            ++answered;
        });
    EXPECT_EQ(refused, 100);
    go_on.set_value();
    while (answered < flood) std::this_thread::yield();
    EXPECT_EQ(taken, static_cast<int>(ReceiptIntake::most_at_once));
    EXPECT_EQ(row("m-1").state, store::message_delivered);
    EXPECT_EQ(story("m-1"), "sending accepted receipt_delivered");
}

}  // namespace
}  // namespace openrd::delivery::testing
