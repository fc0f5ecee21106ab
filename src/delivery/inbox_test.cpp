#include "delivery/inbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>

namespace openrd::delivery {
namespace {

using testing::ElementsAre;

constexpr std::int64_t noon = 1'764'000'000'000;
constexpr std::int64_t long_ms = 600'000;  // longer than any test: whoever waits that long has not been told

InboxMessage message(std::string id, std::string_view to = "65-81234567", std::string account_id = "1000000000000002", std::string purpose = "bind") {
    return {.sequence = 0,
            .id = std::move(id),
            .channel = "inbox",
            .to = *phone::MobileNumber::parse(to),
            .account_id = std::move(account_id),
            .purpose = std::move(purpose),
            .text = base::Secret("042137 is your code."),
            .code = base::Secret("042137"),
            .sent_at_ms = noon,
            .expires_at_ms = noon + 600'000};
}

std::vector<std::string> ids(const std::vector<InboxMessage>& messages) {
    std::vector<std::string> found;
    for (const auto& m : messages) found.push_back(m.id);
    return found;
}
std::vector<std::string> found_ids(const Inbox& inbox, const InboxQuery& query = {}) { return ids(inbox.find(query)); }

// What a wait was told, and how often.
struct Told {
    std::promise<std::vector<std::string>> promise;
    std::atomic<int> times{0};
    std::future<std::vector<std::string>> future = promise.get_future();

    Inbox::Done done() {
        return [this](std::vector<InboxMessage> messages) {
            if (++times == 1) promise.set_value(ids(messages));
        };
    }
};

TEST(Inbox, ShowsTheNewestFirst) {
    Inbox inbox;
    EXPECT_THAT(found_ids(inbox), ElementsAre());
    for (const auto* id : {"a", "b", "c"}) inbox.deliver(message(id));
    EXPECT_THAT(found_ids(inbox), ElementsAre("c", "b", "a"));
}

TEST(Inbox, AnIdIsShownOnceHoweverOftenItIsDelivered) {
    Inbox inbox;
    EXPECT_EQ(inbox.deliver(message("a")), 1u);
    EXPECT_EQ(inbox.deliver(message("b")), 2u);
    EXPECT_EQ(inbox.deliver(message("a", "65-89999999")), 1u);
    EXPECT_THAT(found_ids(inbox), ElementsAre("b", "a"));
    EXPECT_EQ(inbox.find({})[1].to.reveal(), "65-81234567");
}

TEST(Inbox, FindsANumberInEveryWayItIsWritten) {
    Inbox inbox;
    inbox.deliver(message("a", "65-81234567"));
    inbox.deliver(message("b", "1-2025550123"));
    for (const auto* to : {"65-81234567", "+6581234567", "6581234567", " 6581234567", "+65-81234567"}) EXPECT_THAT(found_ids(inbox, {.to = to}), ElementsAre("a")) << to;
    for (const auto* to : {"65-8123456", "81234567", "65-812345678", "+65 81234567", "65--81234567", "-6581234567", "6581234567-", "65-8123-4567", "x", "+", "65-8123****"})
        EXPECT_THAT(found_ids(inbox, {.to = to}), ElementsAre()) << to;
}

TEST(Inbox, FiltersByAccountAndPurposeAndAllOfThem) {
    Inbox inbox;
    inbox.deliver(message("a", "65-81234567", "1", "bind"));
    inbox.deliver(message("b", "65-81234567", "2", "bind"));
    inbox.deliver(message("c", "65-81234567", "1", "enable"));
    inbox.deliver(message("d", "65-81111111", "1", "bind"));
    EXPECT_THAT(found_ids(inbox, {.account_id = "1"}), ElementsAre("d", "c", "a"));
    EXPECT_THAT(found_ids(inbox, {.purpose = "bind"}), ElementsAre("d", "b", "a"));
    EXPECT_THAT(found_ids(inbox, {.to = "65-81234567", .account_id = "1", .purpose = "bind"}), ElementsAre("a"));
    EXPECT_THAT(found_ids(inbox, {.account_id = "3"}), ElementsAre());
}

TEST(Inbox, AfterShowsOnlyWhatCameLater) {
    Inbox inbox;
    for (const auto* id : {"a", "b", "c"}) inbox.deliver(message(id));
    EXPECT_THAT(found_ids(inbox, {.after = "1"}), ElementsAre("c", "b"));
    EXPECT_THAT(found_ids(inbox, {.after = "3"}), ElementsAre());
    EXPECT_THAT(found_ids(inbox, {.after = "0"}), ElementsAre("c", "b", "a"));
    EXPECT_THAT(found_ids(inbox, {.after = "b"}), ElementsAre("c"));
    EXPECT_THAT(found_ids(inbox, {.after = "gone"}), ElementsAre("c", "b", "a")) << "an id that it does not know";
    EXPECT_THAT(found_ids(inbox, {.after = "1000"}), ElementsAre("c", "b", "a")) << "the place of an inbox before a restart";
    EXPECT_THAT(found_ids(inbox, {.after = "-1"}), ElementsAre("c", "b", "a"));
}

TEST(Inbox, KeepsTheLastTenThousand) {
    Inbox inbox;
    for (int i = 1; i <= 10'005; ++i) inbox.deliver(message(std::to_string(i) + "x"));
    const auto all = found_ids(inbox);
    ASSERT_EQ(all.size(), 10'000u);
    EXPECT_EQ(all.front(), "10005x");
    EXPECT_EQ(all.back(), "6x");
    EXPECT_EQ(inbox.deliver(message("1x")), 10'006u) << "what was dropped is not remembered";
}

TEST(Inbox, ClearEmptiesItAndTheSequenceGoesOn) {
    Inbox inbox;
    inbox.deliver(message("a"));
    inbox.clear();
    EXPECT_EQ(inbox.size(), 0u);
    EXPECT_EQ(inbox.deliver(message("a")), 2u);
    EXPECT_THAT(found_ids(inbox, {.after = "1"}), ElementsAre("a"));
}

TEST(InboxWait, IsToldAtOnceWhatIsThere) {
    Inbox inbox;
    inbox.deliver(message("a"));
    Told told;
    EXPECT_EQ(inbox.wait({}, long_ms, told.done()), 0u);
    EXPECT_EQ(told.times, 1);
    EXPECT_THAT(told.future.get(), ElementsAre("a"));
}

TEST(InboxWait, IsToldWhenAMessageThatMatchesArrives) {
    Inbox inbox;
    Told told;
    inbox.deliver(message("old"));
    EXPECT_NE(inbox.wait({.to = "+6581234567", .after = "1"}, long_ms, told.done()), 0u);
    inbox.deliver(message("other", "65-80000000"));
    EXPECT_EQ(told.times, 0);
    inbox.deliver(message("it"));
    EXPECT_EQ(told.times, 1);
    EXPECT_THAT(told.future.get(), ElementsAre("it"));
    inbox.deliver(message("late"));
    EXPECT_EQ(told.times, 1);
    EXPECT_EQ(inbox.waiting(), 0u);
}

TEST(InboxWait, IsToldNothingWhenTheTimeIsUp) {
    Told told, longer;  // the inbox tells whoever is left at its end
    Inbox inbox;
    inbox.wait({}, long_ms, longer.done());
    EXPECT_NE(inbox.wait({}, 20, told.done()), 0u);
    EXPECT_THAT(told.future.get(), ElementsAre());
    EXPECT_EQ(told.times, 1);
    EXPECT_EQ(longer.times, 0);
    EXPECT_EQ(inbox.waiting(), 1u);
}

TEST(InboxWait, WithNoTimeIsFind) {
    Inbox inbox;
    for (const std::int64_t limit : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN}) {
        Told told;
        EXPECT_EQ(inbox.wait({}, limit, told.done()), 0u);
        EXPECT_EQ(told.times, 1);
    }
    Told told;
    EXPECT_NE(inbox.wait({}, INT64_MAX, told.done()), 0u) << "as long as there is";
    inbox.deliver(message("a"));
    EXPECT_THAT(told.future.get(), ElementsAre("a"));
}

TEST(InboxWait, ThatWasCancelledIsNotTold) {
    Inbox inbox;
    Told told;
    const auto waiter = inbox.wait({}, long_ms, told.done());
    EXPECT_TRUE(inbox.cancel(waiter));
    EXPECT_FALSE(inbox.cancel(waiter));
    EXPECT_FALSE(inbox.cancel(0));
    inbox.deliver(message("a"));
    EXPECT_EQ(told.times, 0);
}

TEST(InboxWait, OneTooManyIsToldAtOnce) {
    Inbox inbox(10, 3);
    std::vector<std::unique_ptr<Told>> told;
    for (int i = 0; i < 3; ++i) inbox.wait({}, long_ms, told.emplace_back(std::make_unique<Told>())->done());
    Told fourth;
    EXPECT_EQ(inbox.wait({}, long_ms, fourth.done()), 0u);
    EXPECT_THAT(fourth.future.get(), ElementsAre());
    inbox.deliver(message("a"));
    for (const auto& t : told) EXPECT_EQ(t->times, 1);
}

TEST(InboxWait, GoesOnWhenTheInboxIsEmptied) {
    Inbox inbox;
    inbox.deliver(message("a"));
    Told told;
    inbox.wait({.after = "1"}, long_ms, told.done());
    inbox.clear();
    EXPECT_EQ(told.times, 0);
    inbox.deliver(message("a"));
    EXPECT_THAT(told.future.get(), ElementsAre("a"));
}

TEST(InboxWait, IsToldNothingWhenTheInboxGoes) {
    Told told;
    {
        Inbox inbox;
        inbox.wait({}, long_ms, told.done());
    }
    EXPECT_EQ(told.times, 1);
    EXPECT_THAT(told.future.get(), ElementsAre());
}

TEST(InboxWait, MayAskTheInboxWhenItIsTold) {
    Inbox inbox;
    Told told;
    std::size_t seen = 0;
    inbox.wait({}, long_ms, [&](std::vector<InboxMessage>) {
        seen = inbox.find({}).size();
        inbox.wait({.after = "1"}, long_ms, told.done());
    });
    inbox.deliver(message("a"));
    EXPECT_EQ(seen, 1u);
    inbox.deliver(message("b"));
    EXPECT_THAT(told.future.get(), ElementsAre("b"));
}

TEST(InboxWait, OneThatThrowsKeepsNothingFromTheOthers) {
    Inbox inbox;
    Told told;
    inbox.wait({}, long_ms, [](std::vector<InboxMessage>) { throw std::runtime_error("no"); });
    inbox.wait({}, long_ms, told.done());
    inbox.deliver(message("a"));
    EXPECT_EQ(told.times, 1);
}

// Whatever comes first, message, end of time or cancellation: one of them has it, never two.
TEST(InboxWait, EveryWaiterIsToldOnceOrCancelled) {
    Inbox inbox(10'000, 100'000);
    constexpr int threads = 4, each = 500;
    std::atomic<int> told{0}, cancelled{0};
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t)
        crowd.emplace_back([&, t] {
            for (int i = 0; i < each; ++i) {
                const auto account = std::to_string(t * each + i);
                const auto waiter = inbox.wait({.account_id = account}, 1 + i % 3, [&](std::vector<InboxMessage>) { ++told; });
                if (i % 3 == 0) inbox.deliver(message(account, "65-81234567", account));
                if (i % 2 == 0 && inbox.cancel(waiter)) ++cancelled;
            }
        });
    crowd.clear();
    while (inbox.waiting() != 0) std::this_thread::yield();
    // The timer may be telling the last ones now.
    while (told + cancelled < threads * each) std::this_thread::yield();
    EXPECT_EQ(told + cancelled, threads * each);
}

TEST(InboxJson, WritesEveryFieldAsDocumented) {
    Inbox inbox;
    inbox.deliver(message("a \"quoted\" id"));
    EXPECT_EQ(inbox_json(inbox.find({}), ""),
              R"({"messages":[{"id":"a \"quoted\" id","channel":"inbox","to":"65-81234567","account_id":"1000000000000002","purpose":"bind",)"
              R"("text":"042137 is your code.","code":"042137","sent_at":"2025-11-24T16:00:00.000Z","expires_at":"2025-11-24T16:10:00.000Z"}],"next":"1"})");
}

TEST(InboxJson, NextLeadsOn) {
    Inbox inbox;
    for (const auto* id : {"a", "b"}) inbox.deliver(message(id));
    EXPECT_TRUE(inbox_json(inbox.find({}), "").ends_with(R"(,"next":"2"})"));
    EXPECT_EQ(inbox_json(inbox.find({.after = "2"}), "2"), R"({"messages":[],"next":"2"})");
    EXPECT_EQ(inbox_json({}, ""), R"({"messages":[],"next":""})");
}

TEST(InboxChannel, DeliversTheTextAndTheCodeAndRepeatsHarmlessly) {
    Inbox inbox;
    InboxChannel channel(inbox, Texts("rd.example.com"));
    const OutgoingMessage outgoing{.id = "m-1",
                                   .to = *phone::MobileNumber::parse("65-81234567"),
                                   .account_id = "1000000000000002",
                                   .purpose = "bind",
                                   .template_id = std::string(template_of("bind")),
                                   .language = "en",
                                   .code = base::Secret("042137"),
                                   .valid_for_ms = 600'000,
                                   .now_ms = noon,
                                   .expires_at_ms = noon + 600'000};
    EXPECT_EQ(channel.name(), "inbox");
    EXPECT_TRUE(channel.repeatable());
    EXPECT_TRUE(channel.covers(outgoing.to));
    for (int i = 0; i < 2; ++i) {
        const auto result = channel.send(outgoing, {});
        EXPECT_EQ(result.outcome, Sent::accepted);
        EXPECT_EQ(result.provider_ref, "1");
        EXPECT_EQ(result.segments, 1);
    }
    const auto messages = inbox.find({});
    ASSERT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages[0].channel, "inbox");
    EXPECT_EQ(messages[0].code.reveal(), "042137");
    EXPECT_TRUE(messages[0].text.reveal().ends_with("@rd.example.com #042137"));
    EXPECT_EQ(messages[0].sent_at_ms, noon);
    EXPECT_EQ(messages[0].expires_at_ms, noon + 600'000);
}

}  // namespace
}  // namespace openrd::delivery
