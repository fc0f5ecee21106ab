// Rows as they are, of any table: read from one database, they can be put into another.
#include "store/copying.hpp"
#include "store/audit_events.hpp"
#include "store/engines.hpp"
#include "store/facts.hpp"

namespace openrd::tests {
namespace {

using namespace std::string_literals;
using ::testing::IsEmpty;
using ::testing::SizeIs;

ON_EVERY_ENGINE(Copying);

TEST_P(Copying, KnowsTheShapeOfATable) {
    const auto shape = read([](db::Transaction& tx) { return store::shape_of(tx, "audit_events"); });
    ASSERT_THAT(shape.columns, SizeIs(15));
    EXPECT_EQ(shape.columns[0], (db::Column{.name = "account_id", .kind = db::Kind::text, .place_in_key = 1}));
    EXPECT_EQ(shape.columns[3], (db::Column{.name = "arrival", .kind = db::Kind::integer, .place_in_key = 0}));
    EXPECT_EQ(shape.columns[12].kind, db::Kind::bytes);
    EXPECT_EQ(shape.key, (std::vector<std::size_t>{0, 1, 2}));
}

TEST_P(Copying, RefusesATableThatIsNotThere) {
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::shape_of(tx, "no_table"); }), db::Trouble::programming);
    // Without a key there is no order to read it in.
    EXPECT_EQ(trouble_of([](db::Transaction& tx) { store::shape_of(tx, "schema_compatibility"); }), db::Trouble::programming);
}

TEST_P(Copying, ReadsWhatItHasWritten) {
    const std::vector<store::Row> rows = {{"1"s, "a\0b"s, "s-1"s, nullptr, std::int64_t{5}, nullptr},
                                          {"1"s, "\xff\x80"s, "s-2"s, "\0key"s, INT64_MIN, INT64_MAX},
                                          {"2"s, ""s, "\xc3\xa9"s, ""s, std::int64_t{0}, std::int64_t{-1}}};
    write([&](db::Transaction& tx) { store::insert_rows(tx, store::shape_of(tx, "subjects"), rows); });
    const auto all = [&](const store::Row& after, std::int64_t limit) {
        return read([&](db::Transaction& tx) { return store::rows_after(tx, store::shape_of(tx, "subjects"), after, limit); });
    };
    EXPECT_EQ(all({}, 10), rows);
    EXPECT_EQ(all({}, 2), (std::vector<store::Row>{rows[0], rows[1]}));
    EXPECT_EQ(all(rows[0], 10), (std::vector<store::Row>{rows[1], rows[2]}));
    EXPECT_THAT(all(rows[2], 10), IsEmpty());
    EXPECT_EQ(trouble_of([&](db::Transaction& tx) { store::insert_rows(tx, store::shape_of(tx, "subjects"), {rows[0]}); }),
              engine().shared() ? db::Trouble::unavailable : db::Trouble::conflict);
}

TEST_P(Copying, TakesNoncesFromTheEntriesWhoseTimeIsNotOver) {
    write([](db::Transaction& tx) {
        for (const std::int64_t until : {1000, 2000, 3000}) {
            store::AuditEvent event{.account_id = "1", .at_ms = until, .event_id = "e" + std::to_string(until), .body = "{}"};
            store::append_audit_event(tx, event, store::UsedNonce{.hash = "h" + std::to_string(until), .until_ms = until});
        }
        store::AuditEvent without{.account_id = "1", .at_ms = 1, .event_id = "none", .body = "{}"};
        store::append_audit_event(tx, without, {});
    });
    const auto nonces = read([](db::Transaction& tx) { return store::nonces_of_entries(tx, 2000); });
    ASSERT_THAT(nonces, SizeIs(1));
    EXPECT_EQ(nonces[0].account_id, "1");
    EXPECT_EQ(nonces[0].hash, "h3000");
    EXPECT_EQ(nonces[0].until_ms, 3000);
}

}  // namespace
}  // namespace openrd::tests
