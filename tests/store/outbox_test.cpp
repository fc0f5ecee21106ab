// Messages on their way, and what an operator sees of them: store/outbox, store/outbox_log.
#include "store/outbox.hpp"

#include "store/engines.hpp"
#include "store/outbox_log.hpp"
#include "store/verifications.hpp"

#include <atomic>
#include <thread>

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string code_id = "\0\x01\xFF"s + std::string(13, 'v');

store::Message message(const std::string& id, std::int64_t not_before_ms = 0) {
    return {.account_id = "2",
            .message_id = id,
            .purpose = "bind",
            .verification_id = code_id,
            .code_key_id = 3,
            .phone_sealed = "\0sealed"s,
            .channel = "inbox",
            .not_before_ms = not_before_ms,
            .expires_at_ms = 1'000'000,
            .created_at_ms = 5};
}

// "a queued"
std::vector<std::string> told(const std::vector<store::Message>& messages) {
    std::vector<std::string> words;
    for (const auto& m : messages) words.push_back(m.message_id + " " + m.state);
    return words;
}

store::MessageChange to(std::string_view state, std::int64_t not_before_ms = 0) {
    return {.state = std::string(state), .kind = std::string(state), .channel = "inbox", .not_before_ms = not_before_ms, .provider_code = "said"};
}

store::Message find(db::Transaction& tx, const std::string& id) { return store::find_message(tx, "2", id).value(); }

std::string story(db::Transaction& tx, const std::string& id) {
    std::string kinds;
    for (const auto& event : store::list_message_events(tx, "2", id)) kinds += (kinds.empty() ? "" : " ") + event.kind;
    return kinds;
}

// Takes it and says what became of it.
void bring_to(db::Transaction& tx, const std::string& id, std::string_view state) {
    ASSERT_TRUE(store::claim_message(tx, find(tx, id), "at-" + id, "inbox", 100, 10));
    ASSERT_TRUE(store::settle_message(tx, find(tx, id), to(state), 20));
}

ON_EVERY_ENGINE(Outbox);

TEST_P(Outbox, ShowsWhatIsDueOldestFirst) {
    write([](db::Transaction& tx) {
        EXPECT_EQ(store::next_message_due_ms(tx), std::nullopt);
        store::insert_message(tx, message("b", 20));
        store::insert_message(tx, message("a", 20));
        store::insert_message(tx, message("c", 10));
        store::insert_message(tx, message("later", 500));
    });
    read([](db::Transaction& tx) {
        EXPECT_EQ(store::next_message_due_ms(tx), 10);
        EXPECT_EQ(store::count_messages(tx, store::message_queued), 4);
        EXPECT_THAT(store::count_messages_by_state(tx), ElementsAre(std::pair(std::string(store::message_queued), std::int64_t{4})));
        EXPECT_THAT(told(store::list_due_messages(tx, 5, {}, 10)), IsEmpty());
        const auto first = store::list_due_messages(tx, 20, {}, 2);
        ASSERT_THAT(told(first), ElementsAre("c queued", "a queued"));
        EXPECT_THAT(told(store::list_due_messages(tx, 20, {.not_before_ms = 20, .message_id = "a"}, 2)), ElementsAre("b queued")) << "goes on behind it";
        EXPECT_EQ(first[0].account_id, "2");
        EXPECT_EQ(first[0].purpose, "bind");
        EXPECT_EQ(first[0].verification_id, code_id);
        EXPECT_EQ(first[0].code_key_id, 3);
        EXPECT_EQ(first[0].phone_sealed, "\0sealed"s);
        EXPECT_EQ(first[0].channel, "inbox");
        EXPECT_EQ(first[0].expires_at_ms, 1'000'000);
        EXPECT_EQ(first[0].created_at_ms, 5);
    });
}

TEST_P(Outbox, LeasesAMessageAndFindsItWhenTheLeaseIsOver) {
    write([](db::Transaction& tx) { store::insert_message(tx, message("a")); });
    write([](db::Transaction& tx) { EXPECT_TRUE(store::claim_message(tx, find(tx, "a"), "at-1", "kannel", 100, 10)); });
    read([](db::Transaction& tx) {
        const auto a = find(tx, "a");
        EXPECT_EQ(a.state, store::message_sending);
        EXPECT_EQ(a.channel, "kannel");
        EXPECT_EQ(a.attempt_id, "at-1");
        EXPECT_EQ(a.tries, 1);
        EXPECT_EQ(store::next_message_due_ms(tx), 100);
        EXPECT_THAT(told(store::list_due_messages(tx, 99, {}, 9)), IsEmpty());
        EXPECT_THAT(told(store::list_due_messages(tx, 100, {}, 9)), ElementsAre("a sending"));
    });
    write([](db::Transaction& tx) {
        const auto seen = find(tx, "a");
        EXPECT_TRUE(store::change_message(tx, seen, to(store::message_unknown, 100), 100));
        EXPECT_FALSE(store::change_message(tx, seen, to(store::message_queued, 100), 100)) << "it is not as it was seen any more";
        EXPECT_FALSE(store::claim_message(tx, seen, "at-2", "kannel", 200, 100));
        EXPECT_TRUE(store::claim_message(tx, find(tx, "a"), "at-3", "kannel", 200, 100)) << "to ask about it";
    });
    read([](db::Transaction& tx) {
        EXPECT_EQ(find(tx, "a").state, store::message_unknown);
        EXPECT_EQ(find(tx, "a").tries, 0) << "what the change said";
        EXPECT_EQ(story(tx, "a"), "sending unknown");
    });
}

TEST_P(Outbox, IsSettledByTheAttemptThatHoldsTheMessageAlone) {
    write([](db::Transaction& tx) {
        store::insert_message(tx, message("a"));
        EXPECT_TRUE(store::claim_message(tx, find(tx, "a"), "at-1", "inbox", 100, 10));
        auto mine = find(tx, "a");
        auto other = mine;
        other.attempt_id = "at-2";
        EXPECT_FALSE(store::settle_message(tx, other, to(store::message_accepted), 20));
        EXPECT_EQ(store::settle_message(tx, mine,
                                        {.state = "queued",
                                         .kind = "queued",
                                         .channel = "next",
                                         .not_before_ms = 300,
                                         .tries = 1,
                                         .repeats = 1,
                                         .provider_ref = "ref",
                                         .provider_code = "busy",
                                         .segments = 2},
                                        20),
                  "queued");
        EXPECT_FALSE(store::settle_message(tx, mine, to(store::message_accepted), 20)) << "settled";
        const auto a = find(tx, "a");
        EXPECT_EQ(a.channel, "next");
        EXPECT_EQ(a.not_before_ms, 300);
        EXPECT_EQ(a.repeats, 1);
        EXPECT_EQ(a.provider_ref, "ref");
        EXPECT_EQ(a.provider_code, "busy");
        EXPECT_EQ(a.segments, 2);
        EXPECT_EQ(a.updated_at_ms, 20);
        const auto events = store::list_message_events(tx, "2", "a");
        ASSERT_EQ(events.size(), 2u);
        EXPECT_EQ(events[1].n, 2);
        EXPECT_EQ(events[1].at_ms, 20);
        EXPECT_EQ(events[1].channel, "next");
        EXPECT_EQ(events[1].code, "busy");
        EXPECT_EQ(events[1].attempt_id, "at-1");
    });
}

TEST_P(Outbox, GivesAMessageToOneOfManyWhoClaimAtTheSameTime) {
    constexpr int messages = 40;
    write([](db::Transaction& tx) {
        for (int i = 0; i < messages; ++i) store::insert_message(tx, message("m" + std::to_string(100 + i)));
    });
    std::atomic<int> taken{0};
    std::vector<std::thread> all;
    for (int n = 0; n < 6; ++n)
        all.emplace_back([&, n] {
            for (int round = 0; round < 12; ++round) {
                std::vector<store::Message> seen;
                engine().read([&](db::Transaction& tx) { seen = store::list_due_messages(tx, 10, {}, 5); });
                engine().idle();
                int mine = 0;
                engine().write_and_wait([&](db::Transaction& tx) {
                    mine = 0;
                    for (const auto& m : seen) mine += store::claim_message(tx, m, "at-" + std::to_string(n), "inbox", 1000, 10) ? 1 : 0;
                });
                taken += mine;
            }
        });
    for (auto& one : all) one.join();
    EXPECT_EQ(taken, messages);
}

TEST_P(Outbox, LearnsFromReceiptsAndNeverGoesBack) {
    const auto receive = [](db::Transaction& tx, const std::string& id, std::string_view says, std::string_view channel = "inbox") {
        const auto effect = store::receive_receipt(tx, "2", id, channel, says, "dlr", 30);
        return effect ? effect->before + " " + effect->after : "none";
    };
    write([&](db::Transaction& tx) {
        for (const auto* id : {"a", "b", "c", "d"}) store::insert_message(tx, message(id));
        bring_to(tx, "a", store::message_accepted);
        bring_to(tx, "b", store::message_unknown);
        bring_to(tx, "c", store::message_unknown_final);
        EXPECT_EQ(receive(tx, "a", store::message_delivered, "kannel"), "none");
        EXPECT_EQ(receive(tx, "nobody", store::message_delivered), "none");
        EXPECT_EQ(receive(tx, "a", store::message_accepted), "accepted accepted");
        EXPECT_EQ(receive(tx, "a", store::message_delivered), "accepted delivered");
        EXPECT_EQ(receive(tx, "a", store::message_undelivered), "delivered delivered");
        EXPECT_EQ(receive(tx, "b", store::message_accepted), "unknown accepted");
        EXPECT_EQ(receive(tx, "c", store::message_undelivered), "unknown_final undelivered");
        EXPECT_EQ(receive(tx, "d", store::message_delivered), "queued queued") << "nobody has sent it";
        EXPECT_EQ(story(tx, "a"), "sending accepted receipt_delivered");
        EXPECT_EQ(store::next_message_due_ms(tx), 0) << "d";
    });
}

TEST_P(Outbox, KeepsAReceiptThatComesBeforeTheAnswer) {
    write([](db::Transaction& tx) {
        for (const auto* id : {"a", "b", "c"}) {
            store::insert_message(tx, message(id));
            EXPECT_TRUE(store::claim_message(tx, find(tx, id), "at-1", "inbox", 100, 10));
            EXPECT_TRUE(store::receive_receipt(tx, "2", id, "inbox", store::message_delivered, "", 20));
            EXPECT_EQ(find(tx, id).state, store::message_sending);
        }
        EXPECT_EQ(store::settle_message(tx, find(tx, "a"), to(store::message_accepted), 30), store::message_delivered);
        EXPECT_EQ(store::settle_message(tx, find(tx, "b"), to(store::message_queued), 30), store::message_queued) << "certainly not sent";
        EXPECT_TRUE(store::change_message(tx, find(tx, "c"), to(store::message_unknown), 100));
        EXPECT_EQ(find(tx, "c").state, store::message_delivered);
    });
}

TEST_P(Outbox, ListsMessagesAndDeadLetters) {
    write([](db::Transaction& tx) {
        for (int i = 0; i < 4; ++i) {
            auto m = message(std::string(1, static_cast<char>('a' + i)));
            m.created_at_ms += i, m.expires_at_ms += i;
            store::insert_message(tx, m);
        }
        bring_to(tx, "a", store::message_rejected);
        bring_to(tx, "b", store::message_accepted);
        bring_to(tx, "c", store::message_expired);
    });
    read([](db::Transaction& tx) {
        EXPECT_THAT(told(store::list_messages(tx, {}, 9)), ElementsAre("d queued", "c expired", "b accepted", "a failed"));
        EXPECT_THAT(told(store::list_messages(tx, {}, 1)), ElementsAre("d queued"));
        EXPECT_THAT(told(store::list_messages(tx, {.dead = true, .state = {}}, 9)), ElementsAre("c expired", "a failed"));
        EXPECT_THAT(told(store::list_messages(tx, {.dead = true, .state = "failed"}, 9)), ElementsAre("a failed"));
        EXPECT_THAT(told(store::list_messages(tx, {.state = "accepted"}, 9)), ElementsAre("b accepted"));
        EXPECT_EQ(store::count_dead_messages(tx, 0), 2);
        EXPECT_EQ(store::count_dead_messages(tx, 5), 1);
        EXPECT_EQ(store::search_message(tx, "c").value().account_id, "2");
        EXPECT_FALSE(store::search_message(tx, "C"));
        EXPECT_FALSE(store::find_message(tx, "1", "c"));
    });
}

TEST_P(Outbox, QueuesADeadLetterAnewAndNothingElse) {
    write([](db::Transaction& tx) {
        for (const auto* id : {"a", "b"}) store::insert_message(tx, message(id));
        bring_to(tx, "a", store::message_rejected);
        bring_to(tx, "b", store::message_accepted);
        const auto seen = find(tx, "a");
        EXPECT_TRUE(store::retry_message(tx, seen, 50));
        EXPECT_FALSE(store::retry_message(tx, seen, 50));
        EXPECT_FALSE(store::retry_message(tx, find(tx, "b"), 50));
        const auto a = find(tx, "a");
        EXPECT_EQ(a.state, store::message_queued);
        EXPECT_EQ(a.channel, "");
        EXPECT_EQ(a.not_before_ms, 50);
        EXPECT_EQ(story(tx, "a"), "sending failed retried");
    });
}

TEST_P(Outbox, IsSweptWithItsEvents) {
    write([](db::Transaction& tx) {
        EXPECT_EQ(store::oldest_message_end_ms(tx), std::nullopt);
        for (const auto* id : {"a", "b", "c"}) store::insert_message(tx, message(id));
        auto young = message("young");
        young.expires_at_ms = 2'000'000;
        store::insert_message(tx, young);
        bring_to(tx, "a", store::message_accepted);
        EXPECT_EQ(store::oldest_message_end_ms(tx), 1'000'000);
        EXPECT_EQ(store::delete_old_messages(tx, 1'000'000, 9), 0);
        EXPECT_EQ(store::delete_old_messages(tx, 1'000'001, 2), 2);
        EXPECT_EQ(store::delete_old_messages(tx, 1'000'001, 2), 1);
        EXPECT_EQ(story(tx, "a"), "");
        EXPECT_EQ(store::oldest_message_end_ms(tx), 2'000'000);
    });
}

TEST_P(Outbox, IsJudgedOnceByWhetherTheCodeWasRedeemed) {
    write([](db::Transaction& tx) {
        store::put_verification(tx, {.account_id = "2",
                                     .directory_id = "rd-1",
                                     .verification_id = code_id,
                                     .phone_index = "i",
                                     .phone_sealed = "s",
                                     .state = std::string(store::verification_consumed),
                                     .created_by = "me",
                                     .expires_at_ms = 1'000'000});
        for (const auto* id : {"a", "b", "c"}) {
            auto m = message(id);
            if (*id == 'b') m.verification_id = "another one";
            store::insert_message(tx, m);
            if (*id != 'c') bring_to(tx, id, store::message_accepted);
        }
    });
    EXPECT_THAT(told(read([](db::Transaction& tx) { return store::list_unjudged_messages(tx, 0, 999'999, 9); })), IsEmpty());
    const auto over = [](db::Transaction& tx) { return store::list_unjudged_messages(tx, 0, 1'000'000, 9); };
    const auto messages = read(over);
    ASSERT_THAT(told(messages), ElementsAre("a accepted", "b accepted")) << "c was never sent";
    write([&](db::Transaction& tx) {
        EXPECT_EQ(store::judge_message(tx, messages[0]), true);
        EXPECT_EQ(store::judge_message(tx, messages[1]), false);
        EXPECT_EQ(store::judge_message(tx, messages[0]), std::nullopt) << "once";
    });
    EXPECT_THAT(told(read(over)), IsEmpty());
}

}  // namespace
}  // namespace openrd::tests
