// The law of signatures: a request that differs in one byte from a signed one is refused, unless it says exactly the same.
#include "wire/test_vectors.hpp"

#include "base/text.hpp"

#include <gtest/gtest.h>

namespace openrd::wire::test {
namespace {

struct Tally {
    std::size_t tried = 0, same = 0;
};

// One vector of each scheme meets every change at every byte. The others meet two of them, a deletion and the other case of a
// letter at every byte: all of everything takes minutes under the sanitizers.
bool is_thorough(const Vector& v) { return v.id == "A6" || v.id == "B3"; }

std::vector<std::string> mutations(const std::string& text, std::size_t at, bool thorough) {
    std::vector<std::string> out;
    const auto put = [&](char c) {
        if (c == text[at]) return;
        out.push_back(text);
        out.back()[at] = c;
    };
    put(static_cast<char>(text[at] ^ 0x20));
    out.push_back(text);
    out.back().erase(at, 1);

    constexpr std::string_view replacements("&=%+ ,;0\0\n\xFF", 11);
    const std::size_t kinds = replacements.size() + 3;
    for (std::size_t i = 0; i < (thorough ? kinds : 2); ++i) {
        const std::size_t kind = (at * 2 + i) % kinds;
        if (kind < replacements.size()) {
            put(replacements[kind]);
        } else if (kind == replacements.size()) {
            put(static_cast<char>(text[at] ^ 0x01));
        } else {
            out.push_back(text);
            out.back().insert(at, 1, kind == replacements.size() + 1 ? '&' : text[at]);
        }
    }
    return out;
}

// Changes one byte of `place`, a part of `request`, in every way.
void mutate(Vector& request, std::string& place, const SigningKey& key, const std::string& access_key, Tally& tally) {
    const std::string original = place;
    const std::string decoded = judge(request, key, access_key).decoded;
    for (std::size_t at = 0; at < original.size(); ++at) {
        for (std::string& changed : mutations(original, at, is_thorough(request))) {
            place = std::move(changed);
            ++tally.tried;
            const Judged judged = judge(request, key, access_key);
            if (!judged.accepted) continue;
            ++tally.same;
            ASSERT_EQ(judged.decoded, decoded) << "accepted although it says something else: " << place;
        }
    }
    place = original;
}

template <class Part> Tally over_all_vectors(Part part) {
    Tally tally;
    for (const Vector& v : vectors()) {
        if (v.expect != Expect::accepted) continue;
        SCOPED_TRACE(v.id);
        Vector request = v;
        const SigningKey key{base::Secret(v.secret)};
        EXPECT_TRUE(judge(request, key, v.access_key).accepted);
        part(request, key, tally);
    }
    return tally;
}

TEST(OneByteMutation, OfTheTargetIsRefused) {
    const Tally tally = over_all_vectors([](Vector& v, const SigningKey& key, Tally& t) { mutate(v, v.target, key, v.access_key, t); });
    EXPECT_GT(tally.tried, 20'000u);
    EXPECT_GT(tally.same, 0u);  // %2f for %2F says the same
    EXPECT_LT(tally.same, tally.tried / 20);
}

TEST(OneByteMutation, OfTheBodyIsRefused) {
    const Tally tally = over_all_vectors([](Vector& v, const SigningKey& key, Tally& t) { mutate(v, v.body, key, v.access_key, t); });
    EXPECT_GT(tally.tried, 2'000u);
    EXPECT_LT(tally.same, tally.tried / 20);
}

TEST(OneByteMutation, OfTheMethodIsRefused) {
    const Tally tally = over_all_vectors([](Vector& v, const SigningKey& key, Tally& t) { mutate(v, v.method, key, v.access_key, t); });
    EXPECT_EQ(tally.same, 0u);
}

TEST(OneByteMutation, OfASignedHeaderIsRefused) {
    const Tally tally = over_all_vectors([](Vector& v, const SigningKey& key, Tally& t) {
        const auto given = parse_authorization(v.header("authorization"));
        const std::string signed_headers(given ? given->signed_headers : "content-type");  // V1: it chooses how the body is read
        for (auto& [name, value] : v.headers) {
            if (!header_is_signed(signed_headers, base::ascii_lower(name))) continue;
            mutate(v, value, key, v.access_key, t);
            mutate(v, name, key, v.access_key, t);
        }
    });
    EXPECT_GT(tally.tried, 10'000u);
}

TEST(OneByteMutation, OfTheAuthorizationHeaderIsRefused) {
    const Tally tally = over_all_vectors([](Vector& v, const SigningKey& key, Tally& t) {
        for (auto& [name, value] : v.headers)
            if (base::equal_ignoring_case(name, "authorization")) mutate(v, value, key, v.access_key, t);
    });
    EXPECT_GT(tally.tried, 10'000u);
}

}  // namespace
}  // namespace openrd::wire::test
