#include "audit/checkpoint.hpp"

#include "audit/testing.hpp"
#include "base/identifiers.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>

namespace openrd::audit {
namespace {

using testing::origin;
using testing::ring_of;

Checkpoint of_size(std::uint64_t size) { return {.origin = origin, .size = size, .root = sha256(std::to_string(size))}; }

// A note with any text, signed by the ring in the log's name.
std::string signed_note(const std::string& text, const keys::Ring& ring, const std::string& name = origin) {
    return text + "\n\xe2\x80\x94 " + name + " " + base::base64(verifier_key(ring, name).id() + ring.sign_checkpoint(text)) + "\n";
}

std::string error_of(std::string_view note, const VerifierKey& key) {
    const auto checkpoint = parse_and_verify(note, key);
    return checkpoint ? "no error" : checkpoint.error();
}

TEST(Checkpoint, ComesBackFromItsNote) {
    const auto ring = ring_of('k');
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{20852163}, UINT64_MAX}) {
        const auto note = sign(of_size(size), ring);
        const auto checkpoint = parse_and_verify(note, verifier_key(ring, origin));
        ASSERT_TRUE(checkpoint) << checkpoint.error();
        EXPECT_EQ(checkpoint->origin, origin);
        EXPECT_EQ(checkpoint->size, size);
        EXPECT_EQ(checkpoint->root, of_size(size).root);
    }
}

TEST(Checkpoint, HasTheFormOfC2sp) {
    const auto ring = ring_of('k');
    const auto note = sign({.origin = origin, .size = 42, .root = sha256("")}, ring);
    const std::string text = "log.example.com/audit\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    EXPECT_EQ(note, text + "\n— log.example.com/audit " + base::base64(verifier_key(ring, origin).id() + ring.sign_checkpoint(text)) + "\n");
}

// The example of Go's sumdb/note, from which the format comes.
TEST(SignedNote, OfAnotherImplementationIsUnderstood) {
    const auto key = parse_verifier_key("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    ASSERT_TRUE(key) << key.error();
    const std::string text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    const std::string note = text + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    EXPECT_EQ(signed_text(note, *key).value(), text);
    EXPECT_EQ(error_of(note, *key), "not a checkpoint: origin, size and root are expected");
}

TEST(Checkpoint, OfAnotherKeyIsRefused) {
    const auto note = sign(of_size(3), ring_of('k'));
    EXPECT_EQ(error_of(note, verifier_key(ring_of('l'), origin)), "signed with another key");
    EXPECT_EQ(error_of(note, verifier_key(ring_of('k'), "log.example.com/other")), "signed by somebody else: no signature has the name of this log");
}

// The name of the key is ours, the first line is not.
TEST(Checkpoint, OfAnotherOriginIsRefused) {
    const auto ring = ring_of('k');
    const auto note = signed_note("other.example.com/audit\n3\n" + base::base64(bytes_of(sha256("3"))) + "\n", ring);
    EXPECT_EQ(error_of(note, verifier_key(ring, origin)), "a checkpoint of another log: its origin is not that of the key");
}

TEST(Checkpoint, WithAForgedSignatureIsRefused) {
    const auto ring = ring_of('k');
    const auto key = verifier_key(ring, origin);
    const auto text = "log.example.com/audit\n3\n" + base::base64(bytes_of(sha256("3"))) + "\n";
    const auto forged = text + "\n— log.example.com/audit " + base::base64(key.id() + std::string(64, 'f')) + "\n";
    EXPECT_EQ(error_of(forged, key), "the signature is not valid");
    const auto too_short = text + "\n— log.example.com/audit " + base::base64(key.id() + "f") + "\n";
    EXPECT_EQ(error_of(too_short, key), "the signature is not valid");
    EXPECT_EQ(error_of(forged + "— log.example.com/audit " + base::base64(key.id() + ring.sign_checkpoint(text)) + "\n", key), "the signature is not valid")
        << "a good signature does not make up for a bad one by the same key";
}

TEST(Checkpoint, MayBeSignedByWitnessesToo) {
    const auto ring = ring_of('k');
    const auto key = verifier_key(ring, origin);
    const auto note = sign(of_size(3), ring);
    const auto witness = "— witness.example.org " + base::base64(std::string(4 + 72, 'w')) + "\n";
    const auto first = note.find("— ");
    for (const auto& both : {note + witness, note.substr(0, first) + witness + note.substr(first)}) EXPECT_TRUE(parse_and_verify(both, key)) << both;
    EXPECT_EQ(error_of(note.substr(0, first) + witness, key), "signed by somebody else: no signature has the name of this log");
}

TEST(Checkpoint, IsRefusedWhenItIsMalformedThoughSigned) {
    const auto ring = ring_of('k');
    const auto key = verifier_key(ring, origin);
    const auto root = base::base64(bytes_of(sha256("3")));
    const std::string first = std::string(origin) + "\n";
    EXPECT_TRUE(parse_and_verify(signed_note(first + "3\n" + root + "\n", ring), key));
    EXPECT_TRUE(parse_and_verify(signed_note(first + "3\n" + root + "\nan extension\n", ring), key));
    for (const auto* size : {"", "03", "-3", "+3", "3 ", " 3", "3x", "0x3", "18446744073709551616"})
        EXPECT_FALSE(parse_and_verify(signed_note(first + size + "\n" + root + "\n", ring), key)) << size;
    for (const auto& bad_root : {root.substr(1), root + "A", std::string("AAAA"), std::string(), root + " "})
        EXPECT_FALSE(parse_and_verify(signed_note(first + "3\n" + bad_root + "\n", ring), key)) << bad_root;
    EXPECT_FALSE(parse_and_verify(signed_note(first + "3\n", ring), key));
    EXPECT_FALSE(parse_and_verify(signed_note(first, ring), key));
    EXPECT_FALSE(parse_and_verify(signed_note(first + "3\n" + root + "\n\n", ring), key));
}

TEST(SignedNote, ThatIsNoneIsRefused) {
    const auto ring = ring_of('k');
    const auto key = verifier_key(ring, origin);
    const auto note = sign(of_size(3), ring);
    EXPECT_FALSE(parse_and_verify("", key));
    EXPECT_FALSE(parse_and_verify("\n", key));
    EXPECT_FALSE(parse_and_verify("\n\n", key));
    EXPECT_FALSE(parse_and_verify(note.substr(0, note.size() - 1), key)) << "without the last line feed";
    EXPECT_FALSE(parse_and_verify(note.substr(0, note.find("— ")), key)) << "without a signature";
    EXPECT_FALSE(parse_and_verify(note + "\n", key)) << "with an empty line at the end";
    EXPECT_FALSE(parse_and_verify(note + "— x\n", key)) << "with half a signature";
    EXPECT_FALSE(parse_and_verify(note + "-- witness AAAAAAAA\n", key)) << "with a line that is no signature";
    EXPECT_FALSE(parse_and_verify(note + "— witness AAAA\x80\n", key)) << "not UTF-8";
    EXPECT_FALSE(parse_and_verify(note + "— wit\tness AAAAAAAA\n", key)) << "with a control character";
    EXPECT_FALSE(parse_and_verify(std::string(note_bytes, '\n') + note, key)) << "too long";
}

TEST(Checkpoint, IsRefusedWithAnyByteChanged) {
    const auto ring = ring_of('k');
    const auto key = verifier_key(ring, origin);
    const auto note = sign(of_size(123456), ring);
    ASSERT_TRUE(parse_and_verify(note, key));
    std::mt19937 random(20261124);
    for (std::size_t i = 0; i < note.size(); ++i) {
        auto changed = note;
        changed[i] = static_cast<char>(changed[i] ^ static_cast<char>(1 + random() % 255));
        EXPECT_FALSE(parse_and_verify(changed, key)) << i;
        EXPECT_FALSE(parse_and_verify(note.substr(0, i), key)) << i;
    }
}

TEST(Checkpoint, IsNotSignedForAnOriginThatIsNoName) {
    const auto ring = ring_of('k');
    for (const auto* bad : {"", "a b", "a+b", "a\nb", "a\tb", "a\x7f", "a\xc2\xa0\x62", "a\xe3\x80\x80\x62", "a\x80"}) {
        EXPECT_FALSE(valid_origin(bad)) << bad;
        EXPECT_THROW(sign({.origin = bad, .size = 1, .root = {}}, ring), std::invalid_argument) << bad;
    }
    EXPECT_FALSE(valid_origin(std::string(256, 'a')));
    for (const auto* good : {"openrd.local/audit", "a", "prüfung.example/log"}) EXPECT_TRUE(valid_origin(good)) << good;
}

TEST(VerifierKey, ComesBackFromItsText) {
    const auto key = verifier_key(ring_of('k'), origin);
    EXPECT_EQ(key.text(), std::string(origin) + "+" + base::hex(key.id()) + "+" + base::base64("\x01" + key.public_key));
    for (const auto& text : {key.text(), key.text() + "\n", "  " + key.text() + "\r\n\n"}) {
        const auto parsed = parse_verifier_key(text);
        ASSERT_TRUE(parsed) << parsed.error();
        EXPECT_EQ(parsed->origin, key.origin);
        EXPECT_EQ(parsed->public_key, key.public_key);
    }
}

TEST(VerifierKey, ThatIsDamagedIsRefused) {
    const auto key = verifier_key(ring_of('k'), origin);
    const auto id = base::hex(key.id());
    for (const auto& text :
         {std::string(), std::string("+"), std::string("++"), std::string(origin), origin + ("+" + id), origin + ("+" + id + "+"), origin + ("+" + id + "+AAAA"),
          origin + ("+00000000+" + base::base64("\x01" + key.public_key)), "other.example.com+" + id + "+" + base::base64("\x01" + key.public_key),
          "+" + id + "+" + base::base64("\x01" + key.public_key), origin + ("+" + id + "+" + base::base64("\x02" + key.public_key)), key.text() + "A", "two words" + key.text()})
        EXPECT_FALSE(parse_verifier_key(text)) << text;
}

TEST(Checkpoint, SurvivesGarbage) {
    const auto ring = ring_of('k');
    const auto key = verifier_key(ring, origin);
    const auto note = sign(of_size(9), ring);
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        auto garbage = note;
        for (int edits = 1 + static_cast<int>(random() % 4); edits > 0; --edits) {
            const auto at = random() % garbage.size();
            const auto piece = random() % 2 == 0 ? base::random_bytes(random() % 20) : note.substr(random() % note.size(), random() % 40);
            garbage.replace(at, random() % 10, piece);
            if (garbage.empty()) garbage = "x";
        }
        if (garbage == note) continue;
        // Only the signature lines of others may differ.
        EXPECT_EQ(parse_and_verify(garbage, key).value_or(Checkpoint{.size = 9}).size, 9U) << garbage;
        EXPECT_FALSE(parse_verifier_key(garbage)) << garbage;
    }
}

}  // namespace
}  // namespace openrd::audit
