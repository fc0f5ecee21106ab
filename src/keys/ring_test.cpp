#include "keys/ring.hpp"

#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <vector>

namespace openrd::keys {
namespace {

constexpr Purpose all[] = {Purpose::access_key_secret, Purpose::phone, Purpose::outbox, Purpose::subject, Purpose::session_token, Purpose::page_token, Purpose::diagnostic};
static_assert(std::size(all) == purposes);

Ring ring(char fill = 'r') { return Ring(base::Secret(std::string(root_bytes, fill))); }
// Of the same 32 bytes under the ids from 1 to `count`.
Ring wide_ring(std::uint32_t count, char fill = 'r') {
    Roots roots;
    for (std::uint32_t id = 1; id <= count; ++id) roots.push_back({.id = id, .bytes = base::Secret(std::string(root_bytes, fill))});
    return Ring(roots);
}
std::string code(const Ring& r, std::string_view verification, std::string_view account, std::string_view purpose, std::string_view e164, std::uint32_t key_id = 1) {
    return std::string(r.code(verification, account, purpose, e164, key_id).reveal());
}

TEST(Ring, IsMovedNeverCopied) {
    static_assert(!std::is_copy_constructible_v<Ring> && !std::is_copy_assignable_v<Ring>);
    static_assert(std::is_nothrow_move_constructible_v<Ring> && std::is_nothrow_move_assignable_v<Ring>);
    auto first = ring();
    const auto sealed = first.seal(Purpose::phone, "text", "row");
    const auto second = std::move(first);
    EXPECT_EQ(second.open(Purpose::phone, sealed, "row")->reveal(), "text");
}

TEST(Ring, WantsARootOfThirtyTwoBytes) {
    for (const std::size_t bytes : {0u, 16u, 31u, 33u}) EXPECT_THROW(Ring(base::Secret(std::string(bytes, 'r'))), std::invalid_argument);
}

TEST(Ring, DerivesTheSameKeysFromTheSameRoot) {
    // Fixed texts (the HMACs and the Ed25519 key were recomputed with Python and OpenSSL): a change here makes every database unreadable.
    const auto r = ring();
    const auto* const sealed = "00000001e874f3bb86341268565848a1fac730b6720275fdb1dc0cd0b30ad59ab418f730ef54903fb960b4fb8ae20203f9da72ff4e4966";
    EXPECT_EQ(r.fingerprint(), ring().fingerprint());
    EXPECT_EQ(r.fingerprint(), "6d32860f887fbd14");
    EXPECT_EQ(base::hex(r.blind_index("+6581234567")), "4d0b98d7aed21eaf39a14a1ea1cf2d68c2c15427af5854f1ffa25d699eef6655");
    EXPECT_EQ(code(r, "0123456789abcdef", "1000000000000002", "bind", "+6581234567"), "406339");
    EXPECT_EQ(base::hex(r.nonce_hash("LTAIsandboxAdmin001", "nonce")), "d03644dca0fb9910672b2fe4721f4579");
    EXPECT_EQ(base::hex(r.checkpoint_public_key()), "726ea24e38f7493b5a87f65722dfdc81fbf39c31d87f855511983c084f1cd83a");
    EXPECT_EQ(r.open(Purpose::phone, base::unhex(sealed).value(), "row")->reveal(), "+6581234567");
}

TEST(Seal, RoundTripsForEveryPurpose) {
    const auto r = ring();
    for (const auto purpose : all)
        for (const std::string& text : {std::string(), std::string("+6581234567"), std::string(3000, 'x')}) {
            const auto sealed = r.seal(purpose, text, "row");
            EXPECT_EQ(sealed.size(), text.size() + seal_overhead_bytes);
            EXPECT_EQ(r.open(purpose, sealed, "row")->reveal(), text);
        }
}

TEST(Seal, OpensForItsOwnPurposePlaceAndKeyFileOnly) {
    const auto r = ring();
    for (const auto purpose : all) {
        const auto sealed = r.seal(purpose, "text", "row 1");
        for (const auto other : all) EXPECT_EQ(r.open(other, sealed, "row 1").has_value(), other == purpose);
        EXPECT_FALSE(r.open(purpose, sealed, "row 2"));
        EXPECT_FALSE(r.open(purpose, sealed, ""));
        EXPECT_FALSE(ring('R').open(purpose, sealed, "row 1"));
    }
}

TEST(Seal, ThatWasChangedStaysShut) {
    const auto r = ring();
    const auto sealed = r.seal(Purpose::phone, "+6581234567", "row");
    for (std::size_t i = 0; i < sealed.size(); ++i)
        for (const int bit : {1, 0x80}) {
            auto changed = sealed;
            changed[i] = static_cast<char>(changed[i] ^ bit);
            // A key that is not there may be one that this key file has not got yet.
            if (i < 4) EXPECT_THROW((void)r.open(Purpose::phone, changed, "row"), MissingKey) << i;
            else EXPECT_FALSE(r.open(Purpose::phone, changed, "row")) << i;
        }
    for (std::size_t size = 0; size < sealed.size(); ++size) EXPECT_FALSE(r.open(Purpose::phone, sealed.substr(0, size), "row")) << size;
    EXPECT_FALSE(r.open(Purpose::phone, sealed + std::string(1, '\0'), "row"));
}

TEST(Seal, IsOpenedWithTheKeyItWasMadeWithAfterARotation) {
    auto r = wide_ring(2);
    const auto old = r.seal(Purpose::phone, "old", "row");
    EXPECT_TRUE(r.use({.encryption = 2}));
    const auto current = r.seal(Purpose::phone, "new", "row");
    EXPECT_EQ(old.substr(0, 4), std::string("\0\0\0\1", 4));
    EXPECT_EQ(current.substr(0, 4), std::string("\0\0\0\2", 4));
    EXPECT_EQ(r.open(Purpose::phone, old, "row")->reveal(), "old");
    EXPECT_EQ(r.open(Purpose::phone, current, "row")->reveal(), "new");
    EXPECT_THROW((void)ring().open(Purpose::phone, current, "row"), MissingKey) << "it may well be whole";
    EXPECT_FALSE(ring().open(Purpose::page_token, current, "row")) << "anybody can write any id into a token";
    EXPECT_FALSE(r.open(Purpose::phone, old.substr(0, 4) + current.substr(4), "row")) << "the id belongs to what is sealed";
    EXPECT_FALSE(r.use({.encryption = 2})) << "nothing new";
}

TEST(Ring, WithoutACurrentKeyDoesNothingAndSaysWhichIsMissing) {
    auto r = ring();
    const auto sealed = r.seal(Purpose::phone, "text", "row");
    EXPECT_FALSE(r.trouble());
    r.use({.code = 2});
    ASSERT_TRUE(r.trouble());
    EXPECT_THAT(*r.trouble(), testing::HasSubstr("no key 2, which the code key"));
    EXPECT_THROW((void)code(r, "v", "a", "p", "e"), MissingKey);
    EXPECT_THROW((void)r.seal(Purpose::phone, "text", "row"), MissingKey);
    EXPECT_THROW((void)r.open(Purpose::phone, sealed, "row"), MissingKey);
    EXPECT_THROW((void)r.blind_index("+6581234567"), MissingKey);
    EXPECT_THROW((void)r.sign_checkpoint("text"), MissingKey);
    Roots roots;
    for (std::uint32_t id = 1; id <= 2; ++id) roots.push_back({.id = id, .bytes = base::Secret(std::string(root_bytes, 'r'))});
    EXPECT_TRUE(r.adopt(roots));
    EXPECT_FALSE(r.adopt(roots)) << "nothing new";
    EXPECT_FALSE(r.trouble());
    EXPECT_EQ(r.open(Purpose::phone, sealed, "row")->reveal(), "text");
    EXPECT_EQ(r.code_key_id(), 2u);
    EXPECT_THAT(r.ids(), testing::ElementsAre(1u, 2u));
}

TEST(NonceHash, StaysWhenTheOldestRootIsRetired) {
    const auto before = wide_ring(2);
    Roots roots;
    roots.push_back({.id = 0, .bytes = nonce_key_of({.id = 1, .bytes = base::Secret(std::string(root_bytes, 'r'))})});
    roots.push_back({.id = 2, .bytes = base::Secret(std::string(root_bytes, 'r'))});
    Ring after(roots);
    EXPECT_TRUE(after.trouble()) << "the first key is gone";
    after.use({.code = 2, .index = 2, .encryption = 2, .checkpoint = 2});
    EXPECT_FALSE(after.trouble());
    EXPECT_THAT(after.ids(), testing::ElementsAre(2u));
    EXPECT_EQ(after.nonce_hash("LTAI1", "nonce"), before.nonce_hash("LTAI1", "nonce"));
    EXPECT_TRUE(before.has_fingerprint(after.fingerprint()));
    EXPECT_FALSE(after.has_fingerprint(before.fingerprint()));
    EXPECT_EQ(after.blind_indexes("+6581234567").size(), 1u);
}

TEST(BlindIndex, NamesItsKeyAfterARotation) {
    auto r = wide_ring(3);
    const auto first = r.blind_index("+6581234567");
    r.use({.index = 2});
    const auto second = r.blind_index("+6581234567");
    EXPECT_EQ(second.substr(0, 4), std::string("\0\0\0\2", 4));
    EXPECT_THAT(r.blind_indexes("+6581234567"), testing::ElementsAre(second, first, testing::_));
    EXPECT_EQ(Ring::index_key_id(first), 1u);
    EXPECT_EQ(Ring::index_key_id(second), 2u);
    EXPECT_EQ(Ring::index_key_id("short"), 0u);
    for (const auto& index : {first, second}) {
        EXPECT_TRUE(r.index_matches(index, "+6581234567"));
        EXPECT_FALSE(r.index_matches(index, "+6581234568"));
        EXPECT_FALSE(r.index_matches(index.substr(1), "+6581234567"));
    }
    EXPECT_THROW((void)ring().index_matches(second, "+6581234567"), MissingKey) << "it is not known that it is another number";
}

TEST(BlindIndex, IsTheSameForTheSameNumberOnly) {
    const auto r = ring();
    EXPECT_EQ(r.blind_index("+6581234567"), r.blind_index("+6581234567"));
    EXPECT_NE(r.blind_index("+6581234567"), r.blind_index("+6581234568"));
    EXPECT_EQ(r.blind_index("+6581234567").size(), 32u);
}

TEST(BlindIndex, DiffersByKey) { EXPECT_NE(ring('a').blind_index("+6581234567"), ring('b').blind_index("+6581234567")); }

TEST(Code, IsSixDigitsAndAlwaysTheSame) {
    const auto r = ring();
    for (int i = 0; i < 2000; ++i) {
        const auto digits = code(r, "verification " + std::to_string(i), "1000000000000002", "bind", "+6581234567");
        EXPECT_THAT(digits, testing::MatchesRegex("[0-9]{6}"));
        EXPECT_EQ(digits, code(r, "verification " + std::to_string(i), "1000000000000002", "bind", "+6581234567"));
    }
}

TEST(Code, ChangesWithEveryFieldThatItMustNotBeMovedBetween) {
    // Two codes can be equal by chance (one in a million), so each field is tried with many values: the codes must not be all alike.
    const auto r = wide_ring(20);
    std::set<std::string> by[5];
    for (std::uint32_t i = 1; i <= 20; ++i) {
        const auto n = std::to_string(i);
        by[0].insert(code(r, "verification" + n, "1000000000000002", "bind", "+6581234567"));
        by[1].insert(code(r, "verification", "100000000000000" + n, "bind", "+6581234567"));
        by[2].insert(code(r, "verification", "1000000000000002", "bind" + n, "+6581234567"));
        by[3].insert(code(r, "verification", "1000000000000002", "bind", "+658123456" + n));
        by[4].insert(code(r, "verification", "1000000000000002", "bind", "+6581234567", i));
    }
    for (const auto& codes : by) EXPECT_GE(codes.size(), 19u);
    EXPECT_NE(code(ring('a'), "v", "a", "p", "e"), code(ring('b'), "v", "a", "p", "e"));
}

TEST(Code, KeepsItsFieldsApart) {
    // The same letters, cut elsewhere; a random verification id may well have NUL bytes in it.
    const auto r = ring();
    const std::set<std::string> codes{
        code(r, "ab", "c", "d", "e"), code(r, "a", "bc", "d", "e"), code(r, "a", "b", "cd", "e"), code(r, "a", "b", "c", "de"), code(r, std::string("a\0b", 3), "", "", ""),
        code(r, "a", "b", "", ""),    code(r, "", "abcde", "", "")};
    EXPECT_EQ(codes.size(), 7u);
}

TEST(Code, OfAnOlderKeyCanStillBeMade) {
    auto r = wide_ring(2);
    const auto before = code(r, "v", "a", "p", "e", r.code_key_id());
    EXPECT_EQ(r.code_key_id(), 1u);
    r.use({.code = 2});
    EXPECT_EQ(r.code_key_id(), 2u);
    EXPECT_EQ(code(r, "v", "a", "p", "e", 1), before);
    EXPECT_NE(code(r, "v", "a", "p", "e", 2), before);
    EXPECT_EQ(code(r, "v", "a", "p", "e", 2), code(wide_ring(2), "v", "a", "p", "e", 2));
    EXPECT_THROW((void)code(r, "v", "a", "p", "e", 3), MissingKey);
}

TEST(Code, IsUniform) {
    // Chi-square over 100 cells, by the first and by the last two digits. Fixed inputs, so the figures are the same each time;
    // 99 degrees of freedom: 61 to 149 is the middle 99.8 %.
    const auto r = ring();
    constexpr int count = 50'000;
    std::vector<int> first(100), last(100);
    for (int i = 0; i < count; ++i) {
        const int number = std::stoi(code(r, "verification " + std::to_string(i), "1000000000000002", "bind", "+6581234567"));
        ++first[static_cast<std::size_t>(number / 10'000)];
        ++last[static_cast<std::size_t>(number % 100)];
    }
    for (const auto& cells : {first, last}) {
        double chi_square = 0;
        for (const int seen : cells) chi_square += (seen - count / 100.0) * (seen - count / 100.0) / (count / 100.0);
        EXPECT_GT(chi_square, 61);
        EXPECT_LT(chi_square, 149);
    }
}

TEST(NonceHash, StandsForOneNonceOfOneKey) {
    const auto r = ring();
    EXPECT_EQ(r.nonce_hash("LTAI1", "nonce").size(), 16u);
    EXPECT_EQ(r.nonce_hash("LTAI1", "nonce"), r.nonce_hash("LTAI1", "nonce"));
    EXPECT_NE(r.nonce_hash("LTAI1", "nonce"), r.nonce_hash("LTAI2", "nonce"));
    EXPECT_NE(r.nonce_hash("LTAI1", "nonce"), r.nonce_hash("LTAI1", "nonces"));
    EXPECT_NE(r.nonce_hash("LTAI1", "2nonce"), r.nonce_hash("LTAI12", "nonce"));
    EXPECT_NE(r.nonce_hash("", ""), ring('R').nonce_hash("", ""));
    EXPECT_NE(r.nonce_hash("LTAI1", std::string(5000, 'n')), r.nonce_hash("LTAI1", std::string(4999, 'n') + "m")) << "nonces may be long";
    EXPECT_NE(r.nonce_hash("LTAI1", std::string(247, 'n')), r.nonce_hash("LTAI1", std::string(248, 'n')));
}

TEST(ReceiptToken, IsForOneMessageOfOneChannelOnly) {
    const auto r = ring();
    const auto token = r.receipt_token("kannel", "m-1");
    EXPECT_EQ(token.size(), 32u);
    EXPECT_TRUE(r.receipt_token_matches("kannel", "m-1", token));
    EXPECT_FALSE(r.receipt_token_matches("kannel", "m-2", token));
    EXPECT_FALSE(r.receipt_token_matches("twilio", "m-1", token));
    EXPECT_FALSE(r.receipt_token_matches("kannelm", "-1", token)) << "where a field ends belongs to it";
    EXPECT_FALSE(r.receipt_token_matches("kannel", "m-1", token.substr(0, 31)));
    EXPECT_FALSE(r.receipt_token_matches("kannel", "m-1", ""));
    EXPECT_FALSE(ring('b').receipt_token_matches("kannel", "m-1", token)) << "another key file";
}

TEST(Fingerprint, DiffersByKeyFile) {
    EXPECT_NE(ring('a').fingerprint(), ring('b').fingerprint());
    EXPECT_THAT(ring().fingerprint(), testing::MatchesRegex("[0-9a-f]{16}"));
}

TEST(Checkpoint, IsSignedSoThatAnybodyCanVerifyIt) {
    const auto r = ring();
    const auto key = r.checkpoint_public_key(), signature = r.sign_checkpoint("openrd.local/audit\n3\nroot\n");
    EXPECT_EQ(key.size(), 32u);
    EXPECT_EQ(signature.size(), 64u);
    EXPECT_TRUE(Ring::checkpoint_signed(key, "openrd.local/audit\n3\nroot\n", signature));
    EXPECT_FALSE(Ring::checkpoint_signed(key, "openrd.local/audit\n4\nroot\n", signature));
    EXPECT_FALSE(Ring::checkpoint_signed(ring('R').checkpoint_public_key(), "openrd.local/audit\n3\nroot\n", signature));
    for (std::size_t i = 0; i < signature.size(); ++i) {
        auto changed = signature;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(Ring::checkpoint_signed(key, "openrd.local/audit\n3\nroot\n", changed)) << i;
    }
    EXPECT_FALSE(Ring::checkpoint_signed("", "text", signature));
    EXPECT_FALSE(Ring::checkpoint_signed(key, "text", ""));
}

TEST(PageToken, CarriesAPayloadThatOnlyOpenrdCanMakeAndRead) {
    const auto r = ring();
    for (const std::size_t bytes : {0u, 1u, 120u, 148u}) {
        const std::string payload(bytes, 'p');
        const auto token = r.page_token(payload, "ListAccounts rd-1");
        EXPECT_LE(token.size(), page_token_bytes);
        EXPECT_THAT(token, testing::MatchesRegex("[A-Za-z0-9_-]+"));
        EXPECT_EQ(r.open_page_token(token, "ListAccounts rd-1"), payload);
        EXPECT_FALSE(r.open_page_token(token, "ListAccounts rd-2"));
        EXPECT_FALSE(r.open_page_token(token));
        EXPECT_FALSE(ring('R').open_page_token(token, "ListAccounts rd-1"));
    }
    EXPECT_THROW((void)r.page_token(std::string(149, 'p')), std::length_error);
}

TEST(PageToken, OfAnotherMakeIsRefused) {
    const auto r = ring();
    const auto token = r.page_token("payload");
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        EXPECT_FALSE(r.open_page_token(changed)) << i;
    }
    for (const std::string& text : {std::string(), std::string("A"), std::string("####"), std::string("not a token"), token + "A", token + "=", token.substr(1),
                                    std::string(257, 'A'), std::string(1'000'000, 'A')})
        EXPECT_FALSE(r.open_page_token(text)) << text.substr(0, 40);
}

TEST(Ring, IsUsedByManyThreadsAtOnce) {
    const auto r = wide_ring(7);
    auto older = wide_ring(7);
    older.use({.encryption = 7});
    const auto sealed = older.seal(Purpose::phone, "text", "row");
    const auto expected = code(r, "v", "a", "p", "e", 3);
    std::vector<std::thread> threads;
    threads.reserve(4);
    std::atomic<int> wrong = 0;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 200; ++i) {
                const auto opened = r.open(Purpose::phone, sealed, "row");
                if (!opened || opened->reveal() != "text" || code(r, "v", "a", "p", "e", 3) != expected) ++wrong;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace openrd::keys
