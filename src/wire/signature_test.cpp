#include "wire/signature.hpp"

#include "base/text.hpp"
#include "wire/digest.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>
#include <thread>
#include <type_traits>

namespace openrd::wire {
namespace {

using Pairs = std::vector<Parameters::Entry>;

const SigningKey key(base::Secret("testsecret"));

// What a request needs to be signed; changed by each test.
struct Request {
    std::string method = "POST";
    Pairs query;
    std::vector<HeaderView> headers = {{"host", "h"}, {"X-Acs-Action", "A"}, {"x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}};
    std::string body;
    std::string signed_headers = "host;x-acs-action;x-acs-content-sha256";

    V3Request view() const { return {.method = method, .query = query, .headers = headers, .body = body}; }
    std::string canonical(KeyEncoding names = KeyEncoding::raw) const { return canonical_request(view(), signed_headers, sha256_hex(body), names).value_or("none"); }
    std::string signature_over(std::string_view canonical) const { return std::string(view_of(hex_of(key.v3_sha256(string_to_sign_v3(canonical))))); }
    V3Verdict verify(std::string_view signature) const { return verify_v3(key, {.credential = "testid", .signed_headers = signed_headers, .signature = signature}, view()); }
};

TEST(Digests, AreThePublishedOnes) {
    EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(base::hex(view_of(sha256(""))), sha256_hex(""));
    EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(md5_base64(""), "1B2M2Y8AsgTpgAmY7PhCfg==");
    EXPECT_EQ(base::hex(view_of(sha1("a", "bc"))), "a9993e364706816aba3e25717850c26c9cd0d89d");
}

TEST(SigningKey, MakesTheSameMacAsOpenSsl) {
    const auto reference = [](const EVP_MD* md, std::string_view secret, std::string_view text) {
        unsigned char out[EVP_MAX_MD_SIZE];
        unsigned size = 0;
        HMAC(md, secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
        return base::hex({reinterpret_cast<const char*>(out), size});
    };
    for (const std::size_t length : {0u, 1u, 30u, 62u, 63u, 64u, 65u, 200u}) {
        const std::string secret(length, 's');
        const SigningKey signing{base::Secret(secret)};
        for (const std::string& text : {std::string(), std::string("x"), std::string(63, 'm'), std::string(5000, 'n')}) {
            EXPECT_EQ(base::hex(view_of(signing.v1_sha1(text))), reference(EVP_sha1(), secret + "&", text)) << length;
            EXPECT_EQ(base::hex(view_of(signing.v1_sha256(text))), reference(EVP_sha256(), secret + "&", text)) << length;
            EXPECT_EQ(base::hex(view_of(signing.v3_sha256(text))), reference(EVP_sha256(), secret, text)) << length;
        }
    }
}

TEST(SigningKey, ServesManyThreadsAtOnce) {
    const auto expected = key.v3_sha256("text");
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 500; ++n) wrong += key.v3_sha256("text") != expected;
        });
    threads.clear();
    EXPECT_EQ(wrong, 0);
}

TEST(SigningKey, IsNotCopiedAndNotPrinted) {
    static_assert(!std::is_copy_constructible_v<SigningKey> && !std::is_copy_assignable_v<SigningKey>);
    static_assert(!std::is_convertible_v<SigningKey, std::string_view>);
}

TEST(SignatureV1, LeavesOutTheSignatureAndKeepsEmptyValues) {
    const Parameters parameters({{"Empty", ""}, {"Signature", "x"}, {"SignatureMethod", "HMAC-SHA1"}, {"a b", "*+&="}});
    EXPECT_EQ(string_to_sign_v1("GET", parameters), "GET&%2F&Empty%3D%26SignatureMethod%3DHMAC-SHA1%26a%2520b%3D%252A%252B%2526%253D");
    EXPECT_EQ(string_to_sign_v1("GET", Parameters()), "GET&%2F&");
}

TEST(SignatureV1, KnowsTwoMethods) {
    EXPECT_EQ(signature_method("HMAC-SHA1"), SignatureMethod::hmac_sha1);
    EXPECT_EQ(signature_method("HMAC-SHA256"), SignatureMethod::hmac_sha256);
    for (const auto* other : {"", "hmac-sha1", "HMAC-SHA512", "SHA256withRSA", "HMAC-SM3", "HMAC-SHA1 "}) EXPECT_FALSE(signature_method(other).has_value()) << other;
}

TEST(SignatureV1, IsAcceptedInItsOneSpellingOnly) {
    const std::string right = sign_v1(key, SignatureMethod::hmac_sha1, "GET&%2F&");
    EXPECT_TRUE(verify_v1(key, SignatureMethod::hmac_sha1, "GET&%2F&", right));
    EXPECT_FALSE(verify_v1(key, SignatureMethod::hmac_sha256, "GET&%2F&", right));
    EXPECT_FALSE(verify_v1(key, SignatureMethod::hmac_sha1, "GET&%2F&x", right));
    EXPECT_FALSE(verify_v1(key, SignatureMethod::hmac_sha1, "GET&%2F&", ""));
    EXPECT_FALSE(verify_v1(key, SignatureMethod::hmac_sha1, "GET&%2F&", right + "="));
    EXPECT_FALSE(verify_v1(key, SignatureMethod::hmac_sha1, "GET&%2F&", right.substr(0, right.size() - 1)));
    // 20 bytes leave two bits of the last letter unused: other letters decode to the same bytes.
    int spellings = 0;
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")) {
        std::string other = right;
        other[26] = c;
        spellings += verify_v1(key, SignatureMethod::hmac_sha1, "GET&%2F&", other);
    }
    EXPECT_EQ(spellings, 1);
}

TEST(Authorization, ChoosesTheScheme) {
    for (const auto* v3 : {"ACS3-HMAC-SHA256 Credential=a", "ACS3-X", "ACS4-HMAC-SHA256 x", " ACS3-HMAC-SM3"}) EXPECT_TRUE(is_acs3(v3)) << v3;
    for (const auto* other : {"", "acs AK:sig", "ACS3", "acs3-hmac-sha256", "Bearer x", "ACS5-"}) EXPECT_FALSE(is_acs3(other)) << other;
}

TEST(Authorization, IsReadByNameInAnyOrder) {
    for (const auto* text : {"ACS3-HMAC-SHA256 Credential=id,SignedHeaders=a;b-c,Signature=00ff", "ACS3-HMAC-SHA256 Credential=id,Signature=00ff,SignedHeaders=a;b-c",
                             "  ACS3-HMAC-SHA256   Signature=00ff ,\tCredential=id,  SignedHeaders=a;b-c "}) {
        const auto parsed = parse_authorization(text);
        ASSERT_TRUE(parsed.has_value()) << text;
        EXPECT_EQ(parsed->credential, "id");
        EXPECT_EQ(parsed->signed_headers, "a;b-c");
        EXPECT_EQ(parsed->signature, "00ff");
    }
}

TEST(Authorization, WithoutACredentialIsReadSoThatTheMissingKeyCanBeNamed) {
    for (const auto* text : {"ACS3-HMAC-SHA256 Credential=,SignedHeaders=a,Signature=0", "ACS3-HMAC-SHA256 SignedHeaders=a,Signature=0"}) {
        const auto parsed = parse_authorization(text);
        ASSERT_TRUE(parsed.has_value()) << text;
        EXPECT_TRUE(parsed->credential.empty());
    }
}

TEST(Authorization, OfAnotherAlgorithmIsRefused) {
    for (const auto* text : {"ACS3-HMAC-SM3 Credential=id,SignedHeaders=a,Signature=0", "ACS3-RSA-SHA256 Credential=id,SignedHeaders=a,Signature=0",
                             "ACS4-HMAC-SHA256 Credential=id/1/2,SignedHeaders=a,Signature=0", "ACS3-HMAC-SHA256\tCredential=id,SignedHeaders=a,Signature=0", "ACS3-"}) {
        const auto parsed = parse_authorization(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error(), AuthorizationTrouble::unknown_algorithm) << text;
    }
}

TEST(Authorization, ThatIsMalformedIsRefused) {
    std::string many = "a0";
    for (int i = 1; i <= 64; ++i) many += ";a" + std::to_string(i);
    const std::string start = "ACS3-HMAC-SHA256 Credential=id,Signature=0,SignedHeaders=";
    for (const std::string& text : {std::string(),
                                    std::string("acs id:sig"),
                                    std::string("ACS3-HMAC-SHA256"),
                                    std::string("ACS3-HMAC-SHA256 "),
                                    std::string("ACS3-HMAC-SHA256 Credential"),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=a"),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,Signature=0"),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,Credential=id,SignedHeaders=a,Signature=0"),
                                    std::string("ACS3-HMAC-SHA256 Credential=,Credential=id,SignedHeaders=a,Signature=0"),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=a,Signature=0,Signature=1"),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=a,SignedHeaders=a,Signature=0"),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=a,Signature="),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=a,Signature=0,"),
                                    std::string("ACS3-HMAC-SHA256 Credential=id,SignedHeaders=a,Signature=0,Other=1"),
                                    std::string("ACS3-HMAC-SHA256 credential=id,SignedHeaders=a,Signature=0"),
                                    start,
                                    start + "a;",
                                    start + ";a",
                                    start + "a;;b",
                                    start + "a;b;a",
                                    start + "Host",
                                    start + "a b",
                                    start + "a:b",
                                    start + "a\nb",
                                    start + "\xC3\xA9",
                                    start + many}) {
        const auto parsed = parse_authorization(text);
        ASSERT_FALSE(parsed.has_value()) << text;
        EXPECT_EQ(parsed.error(), AuthorizationTrouble::malformed) << text;
    }
}

TEST(Authorization, MustSignWhatARequestIsMadeOf) {
    const std::string all = "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version";
    EXPECT_TRUE(required_headers_signed(all, true));
    EXPECT_TRUE(required_headers_signed(all, false));
    for (const std::string_view name : {"x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"}) {
        std::string without = all;
        without.replace(without.find(name), name.size(), "x");
        EXPECT_FALSE(required_headers_signed(without, false)) << name;
    }
    std::string without = all;
    without.replace(without.find("x-acs-security-token"), 20, "y");
    EXPECT_TRUE(required_headers_signed(without, false));
    EXPECT_FALSE(required_headers_signed(without, true));
    EXPECT_FALSE(header_is_signed("x-acs-action-2;my-x-acs-action", "x-acs-action"));
}

TEST(CanonicalRequest, SortsTheQueryAndEncodesItsValues) {
    Request r;
    r.query = {{"b", "x y"}, {"a.10", "2"}, {"a", ""}, {"B", "*~"}};
    EXPECT_EQ(r.canonical().substr(0, r.canonical().find("host:")), "POST\n/\nB=%2A~&a=&a.10=2&b=x%20y\n");
}

TEST(CanonicalRequest, TakesHeadersInTheGivenOrderTrimmedAndJoined) {
    Request r;
    r.headers = {{"X-B", "  two \t"}, {"x-a", "z"}, {"X-A", " a "}};
    r.signed_headers = "x-b;x-absent;x-a";
    EXPECT_EQ(r.canonical(), "POST\n/\n\nx-b:two\nx-absent:\nx-a:a,z\n\nx-b;x-absent;x-a\n" + sha256_hex(""));
}

TEST(CanonicalRequest, CannotHoldRawNamesThatWouldSayTwoThings) {
    Request r;
    for (const std::string& name :
         {std::string("a&b"), std::string("a=b"), std::string("a\rb"), std::string("a\nb"), std::string("a\0b", 3), std::string("a%26b"), std::string("%2F")}) {
        r.query = {{"x", "1"}, {name, "1"}};
        EXPECT_FALSE(canonical_request(r.view(), r.signed_headers, "", KeyEncoding::raw).has_value()) << name;
        EXPECT_TRUE(canonical_request(r.view(), r.signed_headers, "", KeyEncoding::encoded).has_value()) << name;
    }
    for (const auto* name : {"Labels.#3#a/b", "a b", "中", "100%", "%zz", "%2f", ""}) {
        r.query = {{name, "1"}};
        EXPECT_TRUE(canonical_request(r.view(), r.signed_headers, "", KeyEncoding::raw).has_value()) << name;
    }
}

TEST(SignatureV3, IsAcceptedWithRawAndWithEncodedNames) {
    Request r;
    r.query = {{"Labels.#3#a/b", "v"}};
    EXPECT_NE(r.canonical(KeyEncoding::raw), r.canonical(KeyEncoding::encoded));
    for (const auto names : {KeyEncoding::raw, KeyEncoding::encoded}) {
        const V3Verdict verdict = r.verify(r.signature_over(r.canonical(names)));
        EXPECT_TRUE(verdict.ok);
        EXPECT_TRUE(verdict.canonical_request.empty() && verdict.string_to_sign.empty());
    }
}

// "a&b" encoded is "a%26b"; a name that is "a%26b" already must not pass for it.
TEST(SignatureV3, OfAnEncodedNameIsNotThatOfTheNameItLooksLike) {
    Request signed_one, forged;
    signed_one.query = {{"Labels.#", "v"}};
    forged.query = {{"Labels.%23", "v"}};
    const std::string signature = signed_one.signature_over(signed_one.canonical(KeyEncoding::encoded));
    EXPECT_TRUE(signed_one.verify(signature).ok);
    EXPECT_FALSE(forged.verify(signature).ok);
}

TEST(SignatureV3, IsAcceptedInLowerCaseOnly) {
    Request r;
    std::string signature = r.signature_over(r.canonical());
    EXPECT_TRUE(r.verify(signature).ok);
    std::string upper = signature;
    for (char& c : upper)
        if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
    EXPECT_NE(upper, signature);
    EXPECT_FALSE(r.verify(upper).ok);
    EXPECT_FALSE(r.verify(signature + "0").ok);
    EXPECT_FALSE(r.verify("").ok);
}

TEST(SignatureV3, WhenRefusedTellsTheTextsOfTheFirstForm) {
    Request r;
    r.query = {{"a#", "1"}};
    const V3Verdict raw = r.verify("0");
    EXPECT_EQ(raw.canonical_request, r.canonical(KeyEncoding::raw));
    EXPECT_EQ(raw.string_to_sign, string_to_sign_v3(raw.canonical_request));
    r.query = {{"a&", "1"}};
    EXPECT_EQ(r.verify("0").canonical_request, r.canonical(KeyEncoding::encoded));
}

TEST(SignatureV3, NeedsTheHashOfTheBody) {
    Request r;
    r.body = "A=1";
    const std::string hash = sha256_hex(r.body);
    r.headers[2].value = hash;
    const std::string signature = r.signature_over(r.canonical());
    EXPECT_TRUE(r.verify(signature).ok);

    Request other = r;  // signed by somebody who knows the key, but its header says another hash
    other.headers[2].value = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    EXPECT_FALSE(other.verify(other.signature_over(other.canonical())).ok);
    const std::string upper = [&] {
        std::string text = hash;
        for (char& c : text)
            if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 32);
        return text;
    }();
    other.headers[2].value = upper;
    EXPECT_FALSE(other.verify(other.signature_over(other.canonical())).ok);
    other.headers.pop_back();
    EXPECT_FALSE(other.verify(other.signature_over(other.canonical())).ok);
}

TEST(SignatureV3, DoesNotAcceptARepeatedHeaderWhoseOrderMatters) {
    for (const auto* name : {"X-Acs-Action", "Content-Type", "Host"}) {
        Request r;
        r.signed_headers = "content-type;host;x-acs-action;x-acs-content-sha256";
        r.headers.push_back({"content-type", "b"});
        EXPECT_TRUE(r.verify(r.signature_over(r.canonical())).ok);
        r.headers.push_back({name, "zz"});
        EXPECT_FALSE(r.verify(r.signature_over(r.canonical())).ok) << name;
    }
    Request r;
    r.signed_headers += ";accept";
    r.headers.push_back({"Accept", "b"});
    r.headers.push_back({"Accept", "a"});
    EXPECT_TRUE(r.verify(r.signature_over(r.canonical())).ok);
}

// "x-acs-action:A\nx-acs-version:B" must not pass for two headers.
TEST(SignatureV3, DoesNotAcceptLineBreaksInHeaders) {
    for (const std::string_view value : {std::string_view("A\nx:y"), std::string_view("A\r"), std::string_view("A\0B", 3)}) {
        Request r;
        r.headers[1].value = value;
        EXPECT_FALSE(r.verify(r.signature_over(r.canonical())).ok);
    }
    Request r;
    r.method = "POST\n/\n";
    EXPECT_FALSE(r.verify(r.signature_over(r.canonical())).ok);
}

TEST(SigningV3, MakesAHeaderThatIsAccepted) {
    Request r;
    r.query = {{"b", "*"}, {"a#", "中"}, {"x&y", "z"}};
    const std::string header = sign_v3(key, "testid", r.signed_headers, r.view());
    const auto parsed = parse_authorization(header);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->credential, "testid");
    EXPECT_TRUE(verify_v3(key, *parsed, r.view()).ok);
}

TEST(SigningV3, SignsWhatTheVendorsClientsSign) {
    const std::vector<HeaderView> headers = {{"X-Acs-Version", "1"}, {"Host", "h"},         {"Accept", "x"},       {"x-acs-action", "A"},
                                             {"Content-Type", "t"},  {"x-acs-action", "A"}, {"Authorization", "-"}};
    EXPECT_EQ(default_signed_headers(headers), "content-type;host;x-acs-action;x-acs-version");
    EXPECT_EQ(default_signed_headers({}), "");
}

}  // namespace
}  // namespace openrd::wire
