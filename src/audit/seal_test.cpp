#include "audit/seal.hpp"

#include "audit/testing.hpp"
#include "base/text.hpp"
#include "store/everything.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace openrd::audit {
namespace {

using testing::Log;
using testing::origin;

std::string refusal(Log& log) {
    try {
        log.seal();
    } catch (const Unsealable& error) { return error.what(); }
    return "sealed";
}

TEST(Seal, GivesTheRootThatTheDefinitionGives) {
    Log log;
    log.append(1000);
    const auto head = log.seal();
    EXPECT_EQ(head.size, 1000);
    EXPECT_EQ(head.root, log.root());
    ASSERT_EQ(log.checkpoints().size(), 1U);
    const auto row = log.checkpoints()[0];
    EXPECT_EQ(row.tree_size, 1000);
    EXPECT_EQ(row.root, bytes_of(head.root));
    EXPECT_EQ(parse_and_verify(row.note, verifier_key(log.ring, origin)).value().root, head.root);
}

TEST(Seal, OfAnEmptyLogStoresNothing) {
    Log log;
    EXPECT_EQ(log.seal().size, 0);
    EXPECT_TRUE(log.checkpoints().empty());
}

TEST(Seal, StoresNothingWhenThereIsNothingNew) {
    Log log;
    log.append(3);
    const auto head = log.seal();
    EXPECT_EQ(log.seal(), head);
    EXPECT_EQ(log.checkpoints().size(), 1U);
}

TEST(Seal, GoesOnFromTheFrontierAfterARestart) {
    Log log;
    for (int round = 0; round < 6; ++round) {
        log.append(1 + 3 * round);
        EXPECT_EQ(log.seal().root, log.root()) << round;
        log.reopen();
    }
    EXPECT_EQ(log.checkpoints().size(), 6U);
}

// What was sealed is not read again: the entries are gone, the next root is still that of all.
TEST(Seal, ReadsNothingTwice) {
    Log log;
    log.append(20);
    log.seal();
    log.append(5);
    const auto whole = log.root();
    static constexpr db::Sql forget{"UPDATE audit_events SET body = 'nobody reads this' WHERE arrival <= 20"};
    log.run(forget);
    EXPECT_EQ(log.seal().root, whole);
}

TEST(Seal, OfManyEntriesIsDoneInPassesThatAreEachKept) {
    Log log;
    log.append(1100);
    Seal seal(*log.engine, log.ring, origin, log.clock, 600);
    EXPECT_EQ(seal.once(), Seal::Result::sealed);
    EXPECT_LT(seal.head().size, 1100);
    EXPECT_EQ(seal.once(), Seal::Result::sealed);
    EXPECT_EQ(seal.head().size, 1100);
    EXPECT_EQ(log.checkpoints().size(), 2U);
    EXPECT_EQ(seal.head().root, log.root());
    EXPECT_EQ(seal.once(), Seal::Result::nothing);
}

TEST(Seal, StopsAtAMissingEntry) {
    Log log;
    log.append(4);
    log.seal();
    log.append(6);
    static constexpr db::Sql remove{"DELETE FROM audit_events WHERE arrival = 7"};
    log.run(remove);
    EXPECT_EQ(refusal(log), "entry 7 of the audit log is missing: entry 8 follows entry 6");
    EXPECT_EQ(log.checkpoints().size(), 1U) << "not even what stands before the gap";
}

TEST(Seal, StopsWhenTheFirstEntryIsMissing) {
    Log log;
    log.append(3);
    static constexpr db::Sql remove{"DELETE FROM audit_events WHERE arrival = 1"};
    log.run(remove);
    EXPECT_EQ(refusal(log), "entry 1 of the audit log is missing: entry 2 follows entry 0");
}

TEST(Seal, StopsWhenTheEndOfWhatWasSealedIsMissing) {
    Log log;
    log.append(9);
    log.seal();
    static constexpr db::Sql remove{"DELETE FROM audit_events WHERE arrival > 7"};
    log.run(remove);
    EXPECT_EQ(refusal(log), "the checkpoint covers 9 entries of the audit log, the database holds them only up to arrival 7");
}

TEST(Seal, StopsAtAnEntryOfTwoLines) {
    Log log;
    log.append(1);
    log.append_body("{\n}");
    EXPECT_EQ(refusal(log), "entry 2 of the audit log is more than one line");
}

TEST(Seal, GoesOnOnlyFromACheckpointThatItHasSigned) {
    static constexpr db::Sql spoilings[] = {
        {"UPDATE checkpoints SET frontier = x'00'"},    {"UPDATE checkpoints SET frontier = zeroblob(64)"},
        {"UPDATE checkpoints SET root = zeroblob(32)"}, {"UPDATE checkpoints SET tree_size = 2"},
        {"UPDATE checkpoints SET note = ''"},           {"UPDATE checkpoints SET note = replace(note, '3', '2')"},
    };
    for (const auto& spoiling : spoilings) {
        Log log;
        log.append(3);
        log.seal();
        log.append(2);
        log.run(spoiling);
        EXPECT_THAT(refusal(log), ::testing::StartsWith("the checkpoint of ")) << spoiling.text;
        EXPECT_EQ(log.checkpoints().size(), 1U) << spoiling.text;
    }
}

TEST(Seal, OfAnotherKeyOrOriginIsNotGoneOnFrom) {
    Log log;
    log.append(3);
    log.seal();
    log.append(2);
    EXPECT_THROW(seal_now(*log.engine, testing::ring_of('x'), origin, log.clock), Unsealable);
    EXPECT_THROW(seal_now(*log.engine, log.ring, "another.example.com", log.clock), Unsealable);
    EXPECT_THROW(seal_now(*log.engine, log.ring, "not an origin", log.clock), std::invalid_argument);
    EXPECT_EQ(log.seal().size, 5);
}

// Both the database and its checkpoints were set back; a process that has seen the later one is not fooled.
TEST(Seal, DoesNotSignASecondHistory) {
    Log log;
    Seal seal(*log.engine, log.ring, origin, log.clock);
    log.append(3);
    EXPECT_EQ(seal.once(), Seal::Result::sealed);
    log.append(2);
    EXPECT_EQ(seal.once(), Seal::Result::sealed);
    const auto known = seal.head();
    static constexpr db::Sql set_back{"DELETE FROM checkpoints WHERE tree_size = 5"};
    static constexpr db::Sql rewrite{"UPDATE audit_events SET body = 'another' WHERE arrival = 5"};
    log.run(set_back);
    log.run(rewrite);
    EXPECT_THROW(seal.once(known), Unsealable);
    EXPECT_EQ(log.checkpoints().size(), 1U);
    EXPECT_EQ(seal.once(), Seal::Result::sealed) << "as after a reset of the sandbox";
    EXPECT_THROW(seal.once(known), Unsealable) << "as large, but with another root";
}

TEST(Seal, ByTwoAtOnceGivesOneHistory) {
    Log log;
    const auto work = [&] {
        for (int i = 0; i < 40; ++i) {
            log.append(3);
            log.seal();
        }
        log.engine->idle();
    };
    std::thread other(work);
    work();
    other.join();
    EXPECT_EQ(log.seal().size, 240);
    Tree tree;
    const auto events = log.events();
    for (const auto& checkpoint : log.checkpoints()) {
        while (tree.size() < static_cast<std::uint64_t>(checkpoint.tree_size)) tree.add(leaf_hash(events[tree.size()].body));
        EXPECT_EQ(checkpoint.root, bytes_of(tree.root())) << checkpoint.tree_size;
    }
}

TEST(Seal, BeginsAnewAfterTheSandboxWasReset) {
    Log log;
    log.append(30);
    log.seal();
    log.engine->write_and_wait([](db::Transaction& tx) { store::delete_everything(tx); });
    EXPECT_EQ(log.seal().size, 0);
    log.append(2);
    EXPECT_EQ(log.seal().size, 2);
    EXPECT_EQ(log.checkpoints().size(), 1U);
    EXPECT_EQ(log.seal().root, log.root());
}

}  // namespace
}  // namespace openrd::audit
