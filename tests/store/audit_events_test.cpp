// The rows of the audit log: store/audit_events.
#include "store/audit_events.hpp"

#include "store/engines.hpp"

#include <algorithm>

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

ON_EVERY_ENGINE(AuditEvents);

store::AuditEvent event(const std::string& id, std::int64_t at_ms, const std::string& account = "1") {
    return {.account_id = account,
            .at_ms = at_ms,
            .event_id = id,
            .service_name = "ResourceDirectoryMaster",
            .event_name = "BindSecureMobilePhone",
            .event_rw = "Write",
            .user_name = "alice",
            .access_key_id = "LTAI1",
            .resource_type = "ACS::ResourceDirectory::Account",
            .resource_name = "2",
            .body = R"({"eventId":")" + id + R"(","ünï":"😀"})"};
}

void append(db::Transaction& tx, store::AuditEvent e, const std::optional<store::UsedNonce>& nonce = {}) { store::append_audit_event(tx, e, nonce); }

std::vector<std::string> ids(const std::vector<store::AuditEvent>& events) {
    std::vector<std::string> result;
    for (const auto& e : events) result.push_back(e.event_id);
    return result;
}

TEST_P(AuditEvents, ComeBackAsTheyWentIn) {
    write([](db::Transaction& tx) { append(tx, event("e", 100)); });
    const auto found = read([](db::Transaction& tx) { return store::list_audit_events(tx, {.account_id = "1", .to_ms = 1000}); });
    ASSERT_EQ(found.size(), 1U);
    const auto wanted = event("e", 100);
    EXPECT_EQ(found[0].account_id, "1");
    EXPECT_EQ(found[0].at_ms, 100);
    EXPECT_EQ(found[0].event_id, "e");
    EXPECT_EQ(found[0].service_name, wanted.service_name);
    EXPECT_EQ(found[0].event_name, wanted.event_name);
    EXPECT_EQ(found[0].event_rw, wanted.event_rw);
    EXPECT_EQ(found[0].user_name, wanted.user_name);
    EXPECT_EQ(found[0].access_key_id, wanted.access_key_id);
    EXPECT_EQ(found[0].resource_type, wanted.resource_type);
    EXPECT_EQ(found[0].resource_name, wanted.resource_name);
    EXPECT_EQ(found[0].body, wanted.body);
}

TEST_P(AuditEvents, ArePagedAcrossEntriesOfOneMillisecondInBothDirections) {
    write([](db::Transaction& tx) {
        for (int i = 0; i < 9; ++i) append(tx, event("e" + std::to_string(i), 100 + i / 4));
        append(tx, event("another's", 101, "2"));
    });
    for (const bool newest_first : {true, false}) {
        std::vector<std::string> found;
        store::EventQuery query{.account_id = "1", .to_ms = 1000, .newest_first = newest_first, .limit = 2};
        for (;;) {
            const auto page = read([&](db::Transaction& tx) { return store::list_audit_events(tx, query); });
            if (page.empty()) break;
            for (const auto& e : page) found.push_back(e.event_id);
            query.beyond = store::EventPlace{page.back().at_ms, page.back().turn};
        }
        std::vector<std::string> wanted = {"e0", "e1", "e2", "e3", "e4", "e5", "e6", "e7", "e8"};
        if (newest_first) std::ranges::reverse(wanted);
        EXPECT_EQ(found, wanted);
    }
}

TEST_P(AuditEvents, AreLookedUpByTimeAndByTwoAttributes) {
    write([](db::Transaction& tx) {
        append(tx, event("a", 100));
        auto other = event("b", 200);
        other.user_name = "Alice";
        other.event_rw = "Read";
        append(tx, other);
        append(tx, event("c", 300));
    });
    const auto list = [&](std::int64_t from, std::int64_t to, const std::vector<store::EventFilter>& filters) {
        return ids(read([&](db::Transaction& tx) { return store::list_audit_events(tx, {.account_id = "1", .from_ms = from, .to_ms = to, .filters = filters}); }));
    };
    EXPECT_THAT(list(100, 300, {}), ElementsAre("c", "b", "a")) << "both ends are included";
    EXPECT_THAT(list(101, 299, {}), ElementsAre("b"));
    EXPECT_THAT(list(301, 999, {}), IsEmpty());
    EXPECT_THAT(list(0, 999, {{"User", "alice"}}), ElementsAre("c", "a"));
    EXPECT_THAT(list(0, 999, {{"User", "Alice"}, {"EventRW", "Read"}}), ElementsAre("b"));
    EXPECT_THAT(list(0, 999, {{"User", "alice"}, {"EventRW", "Read"}}), IsEmpty());
    EXPECT_THAT(list(0, 999, {{"EventId", "c"}}), ElementsAre("c"));
    for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{{"ServiceName", "ResourceDirectoryMaster"},
                                                                                     {"EventName", "BindSecureMobilePhone"},
                                                                                     {"ResourceType", "ACS::ResourceDirectory::Account"},
                                                                                     {"ResourceName", "2"},
                                                                                     {"EventAccessKeyId", "LTAI1"}}) {
        EXPECT_THAT(list(0, 999, {{key, value}}), ElementsAre("c", "b", "a")) << key;
        EXPECT_THAT(list(0, 999, {{key, ""}}), IsEmpty()) << key;
    }
}

TEST_P(AuditEvents, HaveCheckpointsOfTheirTree) {
    EXPECT_FALSE(read([](db::Transaction& tx) { return store::last_checkpoint(tx); }));
    write([](db::Transaction& tx) {
        for (const std::int64_t size : {1, 20, 3})
            store::insert_checkpoint(tx, {.tree_size = size, .root = std::string(32, '\0'), .frontier = "\xFF\0"s, .note = "note\n— é", .created_at_ms = size});
    });
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::insert_checkpoint(tx, {.tree_size = 20}); }), db::Trouble::conflict);
    const auto last = read([](db::Transaction& tx) { return store::last_checkpoint(tx); }).value();
    EXPECT_EQ(last.tree_size, 20);
    EXPECT_EQ(last.root, std::string(32, '\0'));
    EXPECT_EQ(last.frontier, "\xFF\0"s);
    EXPECT_EQ(last.note, "note\n— é");
    EXPECT_EQ(last.created_at_ms, 20);
    const auto rest = read([](db::Transaction& tx) { return store::list_checkpoints(tx, 1, 5); });
    ASSERT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest[0].tree_size, 3);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::list_checkpoints(tx, 0, 1); }).at(0).tree_size, 1);
}

TEST_P(AuditEvents, HavePlacesInTheWholeLogWhichASharedDatabaseGivesLater) {
    write([](db::Transaction& tx) {
        EXPECT_EQ(store::last_arrival(tx), 0);
        append(tx, event("a", 300));
        append(tx, event("b", 100, "2"));
        append(tx, event("c", 200));
    });
    if (engine().shared()) {
        EXPECT_EQ(read([](db::Transaction& tx) { return store::last_arrival(tx); }), 0);
        EXPECT_TRUE(read([](db::Transaction& tx) { return store::has_events_to_number(tx); }));
        EXPECT_EQ(write([](db::Transaction& tx) { return store::number_audit_events(tx, 0, 2); }), 2);
        EXPECT_EQ(write([](db::Transaction& tx) { return store::number_audit_events(tx, 2, 9); }), 1);
        EXPECT_THAT(ids(read([](db::Transaction& tx) { return store::audit_events_after(tx, 0, 9); })), ElementsAre("b", "c", "a"));
    } else {
        EXPECT_THAT(ids(read([](db::Transaction& tx) { return store::audit_events_after(tx, 0, 9); })), ElementsAre("a", "b", "c"));
    }
    EXPECT_FALSE(read([](db::Transaction& tx) { return store::has_events_to_number(tx); }));
    EXPECT_EQ(write([](db::Transaction& tx) { return store::number_audit_events(tx, 3, 9); }), 0);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::last_arrival(tx); }), 3);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::count_audit_events(tx); }), 3);
    const auto rest = read([](db::Transaction& tx) { return store::audit_events_after(tx, 1, 9); });
    EXPECT_EQ(rest.size(), 2U);
    EXPECT_EQ(rest.at(0).arrival, 2);
    EXPECT_EQ(rest.at(1).arrival, 3);
    EXPECT_EQ(read([](db::Transaction& tx) { return store::audit_events_after(tx, 0, 1); }).size(), 1U);
}

TEST_P(AuditEvents, RememberTheNoncesOfWritesUntilTheirTimeIsOver) {
    const std::string hash = "\0hash\xFF"s;
    write([&](db::Transaction& tx) {
        append(tx, event("a", 100), store::UsedNonce{hash, 5000});
        append(tx, event("b", 101), store::UsedNonce{"over", 1000});
        append(tx, event("c", 102));
    });
    if (engine().shared()) write([](db::Transaction& tx) { store::number_audit_events(tx, 0, 9); });
    const auto used = read([](db::Transaction& tx) { return store::used_nonces(tx, 0, 1000); });
    ASSERT_EQ(used.size(), 1U);
    EXPECT_EQ(used[0].hash, hash);
    EXPECT_EQ(used[0].until_ms, 5000);
}

}  // namespace
}  // namespace openrd::tests
