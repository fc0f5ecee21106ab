// Every request that a real client sent is accepted, with exactly the texts that the client signed.
#include "wire/test_vectors.hpp"

#include <gtest/gtest.h>

namespace openrd::wire::test {
namespace {

TEST(Vectors, AreAllThere) {
    std::size_t accepted = 0, refused = 0, unsigned_ones = 0;
    for (const Vector& v : vectors()) ++(v.expect == Expect::accepted ? accepted : v.expect == Expect::refused ? refused : unsigned_ones);
    EXPECT_EQ(accepted, 28u);
    EXPECT_EQ(refused, 1u);
    EXPECT_EQ(unsigned_ones, 3u);
}

TEST(Vectors, SignedRequestsOfRealClientsAreAccepted) {
    for (const Vector& v : vectors()) {
        if (v.expect != Expect::accepted) continue;
        SCOPED_TRACE(v.id);
        const Judged judged = judge(v, SigningKey(base::Secret(v.secret)), v.access_key);
        EXPECT_TRUE(judged.accepted) << judged.why << '\n' << judged.string_to_sign << '\n' << judged.canonical_request;
    }
}

TEST(Vectors, TheTextsToSignAreTheClients) {
    for (const Vector& v : vectors()) {
        if (v.expect != Expect::accepted) continue;
        SCOPED_TRACE(v.id);
        if (v.canonical_request.empty()) {
            const auto parameters = collect(v.query(), v.body, body_kind(v.header("content-type")), {});
            ASSERT_TRUE(parameters.has_value());
            const std::string text = string_to_sign_v1(v.method, *parameters);
            EXPECT_EQ(text, v.string_to_sign);
            EXPECT_EQ(sign_v1(SigningKey(base::Secret(v.secret)), *signature_method(*parameters->find("SignatureMethod")), text), v.signature);
        } else {
            const auto given = parse_authorization(v.header("authorization"));
            ASSERT_TRUE(given.has_value());
            EXPECT_EQ(given->credential, v.access_key);
            EXPECT_EQ(given->signature, v.signature);
            const auto query = query_pairs(v.query());
            const auto headers = v.views();
            const V3Request request{.method = v.method, .query = query, .headers = headers, .body = v.body};
            const auto canonical = canonical_request(request, given->signed_headers, sha256_hex(v.body), KeyEncoding::raw);
            ASSERT_TRUE(canonical.has_value());
            EXPECT_EQ(*canonical, v.canonical_request);
            EXPECT_EQ(string_to_sign_v3(*canonical), v.string_to_sign);
        }
    }
}

TEST(Vectors, OurOwnSignatureIsTheClients) {
    for (const Vector& v : vectors()) {
        if (v.expect != Expect::accepted || v.canonical_request.empty()) continue;
        SCOPED_TRACE(v.id);
        const auto query = query_pairs(v.query());
        const auto headers = v.views();
        const auto given = parse_authorization(v.header("authorization"));
        ASSERT_TRUE(given.has_value());
        EXPECT_EQ(sign_v3(SigningKey(base::Secret(v.secret)), v.access_key, given->signed_headers, {v.method, query, headers, v.body}), v.header("authorization"));
    }
}

// What a refused caller is told is what it should have signed.
TEST(Vectors, AWrongSecretIsRefusedWithTheTextsToSign) {
    for (const Vector& v : vectors()) {
        if (v.expect != Expect::accepted) continue;
        SCOPED_TRACE(v.id);
        const Judged judged = judge(v, SigningKey(base::Secret(v.secret + "x")), v.access_key);
        EXPECT_FALSE(judged.accepted);
        EXPECT_EQ(judged.why, "signature");
        EXPECT_EQ(judged.string_to_sign, v.string_to_sign);
        EXPECT_EQ(judged.canonical_request, v.canonical_request);
    }
}

TEST(Vectors, AnotherMethodIsRefused) {
    for (Vector v : vectors()) {
        if (v.expect != Expect::accepted) continue;
        SCOPED_TRACE(v.id);
        const SigningKey key{base::Secret(v.secret)};
        v.method = v.method == "GET" ? "POST" : "GET";
        EXPECT_FALSE(judge(v, key, v.access_key).accepted);
    }
}

TEST(Vectors, AnAddedParameterIsRefused) {
    for (Vector v : vectors()) {
        if (v.expect != Expect::accepted) continue;
        SCOPED_TRACE(v.id);
        const SigningKey key{base::Secret(v.secret)};
        v.target += v.target.find('?') == std::string::npos ? "?Zz=1" : "&Zz=1";
        EXPECT_FALSE(judge(v, key, v.access_key).accepted);
    }
}

TEST(Vectors, TwoSignedParametersPresentedAsOneAreRefused) {
    const Vector& forged = vector("X1");
    const Judged judged = judge(forged, SigningKey(base::Secret(forged.secret)), forged.access_key);
    EXPECT_FALSE(judged.accepted);
    EXPECT_EQ(judged.why, "signature");
    // It was refused for the form of its name alone: the signature is right for the text that the names would make as they are.
    EXPECT_NE(judged.canonical_request, forged.canonical_request);
    EXPECT_NE(judged.canonical_request.find("AccountId%3D1%26SecureMobilePhone=65-1"), std::string::npos);
}

TEST(Vectors, UnsignedRequestsParse) {
    for (const Vector& v : vectors()) {
        if (v.expect != Expect::no_signature) continue;
        SCOPED_TRACE(v.id);
        const auto parameters = collect(v.query(), v.body, body_kind(v.header("content-type")), {});
        ASSERT_TRUE(parameters.has_value());
        EXPECT_FALSE(is_acs3(v.header("authorization")));
        EXPECT_EQ(parameters->find("Signature"), nullptr);
        EXPECT_EQ(*parameters->find("A"), "1");
    }
    EXPECT_EQ(*collect(vector("A8").query(), "", BodyKind::none, {})->find("BearerToken"), "bt-123");
    EXPECT_EQ(*collect(vector("B9").query(), "", BodyKind::none, {})->find("SignatureType"), "BEARERTOKEN");
}

}  // namespace
}  // namespace openrd::wire::test
