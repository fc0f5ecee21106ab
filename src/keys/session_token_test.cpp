#include "keys/session_token.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace openrd::keys {
namespace {

Ring ring(char fill = 'r') { return Ring(base::Secret(std::string(root_bytes, fill))); }

Session session() {
    return {.access_key_id = "STS.abcdefghijklmnopqrst",
            .secret = base::Secret("a session's secret"),
            .account_id = "1000000000000001",
            .role_id = "300000000000000001",
            .role_name = "operator",
            .session_name = "alice@example",
            .issued_at_ms = 1'700'000'000'123,
            .expires_at_ms = 1'700'003'600'123,
            .policy = R"({"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]})",
            .source_identity = "alice"};
}

void expect_same(const Session& a, const Session& b) {
    EXPECT_EQ(a.access_key_id, b.access_key_id);
    EXPECT_EQ(a.secret.reveal(), b.secret.reveal());
    EXPECT_EQ(a.account_id, b.account_id);
    EXPECT_EQ(a.role_id, b.role_id);
    EXPECT_EQ(a.role_name, b.role_name);
    EXPECT_EQ(a.session_name, b.session_name);
    EXPECT_EQ(a.issued_at_ms, b.issued_at_ms);
    EXPECT_EQ(a.expires_at_ms, b.expires_at_ms);
    EXPECT_EQ(a.policy, b.policy);
    EXPECT_EQ(a.source_identity, b.source_identity);
}

TEST(SessionToken, GivesBackTheWholeSession) {
    const auto r = ring();
    const auto again = open_session(r, seal_session(r, session()).reveal());
    ASSERT_TRUE(again);
    expect_same(*again, session());
    const auto empty = open_session(r, seal_session(r, Session{}).reveal());
    ASSERT_TRUE(empty);
    expect_same(*empty, Session{});
}

TEST(SessionToken, LooksLikeTheVendors) {
    const auto r = ring();
    const auto token = seal_session(r, session());
    EXPECT_EQ(token.reveal().substr(0, 4), "CAIS");
    EXPECT_TRUE(base::unbase64(token.reveal()));
}

TEST(SessionToken, HoldsTheLongestSessionPolicy) {
    const auto r = ring();
    auto longest = session();
    longest.policy.clear();
    for (int i = 0; i < 2048; ++i) longest.policy += "\xF0\x9F\x98\x80";
    longest.role_name = longest.session_name = longest.source_identity = std::string(64, 'x');
    const auto token = seal_session(r, longest);
    EXPECT_LE(token.reveal().size(), session_token_bytes);
    expect_same(*open_session(r, token.reveal()), longest);
}

TEST(SessionToken, IsNotMadeLongerThanATokenMayBe) {
    auto huge = session();
    huge.policy = std::string(session_token_bytes, 'p');
    EXPECT_THROW((void)seal_session(ring(), huge), std::length_error);
    huge.policy = std::string(9100, 'p');
    EXPECT_THROW((void)seal_session(ring(), huge), std::length_error) << "base64 makes it too long";
}

TEST(SessionToken, ShowsNothingOfTheSession) {
    const auto r = ring();
    const auto bytes = base::unbase64(seal_session(r, session()).reveal()).value();
    for (const char* part : {"STS.", "a session's secret", "1000000000000001", "operator", "alice"}) EXPECT_EQ(bytes.find(part), std::string::npos) << part;
}

TEST(SessionToken, OfAnotherKeyFileIsNotOurs) { EXPECT_FALSE(open_session(ring('R'), seal_session(ring(), session()).reveal())); }

TEST(SessionToken, ThatWasChangedIsRefused) {
    const auto r = ring();
    const auto bytes = base::unbase64(seal_session(r, session()).reveal()).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_FALSE(open_session(r, base::base64(changed))) << i;
        EXPECT_FALSE(open_session(r, base::base64(bytes.substr(0, i)))) << i;
    }
    EXPECT_FALSE(open_session(r, base::base64(bytes + "x")));
}

TEST(SessionToken, IsAnythingButArbitraryText) {
    const auto r = ring();
    const std::string token(seal_session(r, session()).reveal());
    for (const std::string& text : {std::string(), std::string("CAIS"), std::string("CAIS####"), std::string("Bearer x"), token + "\n", " " + token, token + token, token.substr(4),
                                    std::string(token.size(), 'A'), std::string(session_token_bytes + 4, 'A'), std::string(1'000'000, 'A')})
        EXPECT_FALSE(open_session(r, text)) << text.substr(0, 40);
}

TEST(SessionToken, IsNotMadeOfWhatIsSealedForSomethingElse) {
    const auto r = ring();
    const auto plain = r.open(Purpose::session_token, base::unbase64(seal_session(r, session()).reveal())->substr(3), "openrd session token").value();
    const auto as_token = [](const std::string& sealed) { return base::base64("\x08\x02\x12" + sealed); };
    EXPECT_TRUE(open_session(r, as_token(r.seal(Purpose::session_token, plain.reveal(), "openrd session token"))));
    EXPECT_FALSE(open_session(r, as_token(r.seal(Purpose::page_token, plain.reveal(), "openrd session token"))));
    EXPECT_FALSE(open_session(r, as_token(r.seal(Purpose::session_token, plain.reveal(), ""))));
}

TEST(SessionToken, OfAnUnknownVersionOrShapeIsRefused) {
    // Sealed with the right key, as a later openrd might.
    const auto r = ring();
    const std::string plain(r.open(Purpose::session_token, base::unbase64(seal_session(r, session()).reveal())->substr(3), "openrd session token")->reveal());
    const auto opened = [&](const std::string& content) {
        return open_session(r, base::base64("\x08\x02\x12" + r.seal(Purpose::session_token, content, "openrd session token"))).has_value();
    };
    EXPECT_TRUE(opened(plain));
    EXPECT_FALSE(opened("\x02" + plain.substr(1)));
    EXPECT_FALSE(opened(plain + "x"));
    EXPECT_FALSE(opened("\x01\xFF\xFF" + plain.substr(3)));
    for (std::size_t size = 0; size < plain.size(); ++size) EXPECT_FALSE(opened(plain.substr(0, size))) << size;
}

}  // namespace
}  // namespace openrd::keys
