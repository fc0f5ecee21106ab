#pragma once
// Requests that real clients sent (tests/vectors/protocol-vectors.json), and what a gateway makes of one with wire/ alone.
#include "wire/signature.hpp"

#include <string>
#include <utility>
#include <vector>

namespace openrd::wire::test {

enum class Expect { accepted, refused, no_signature };

struct Vector {
    std::string id, secret, method, target, body, access_key, string_to_sign, canonical_request, signature;
    std::vector<std::pair<std::string, std::string>> headers;
    Expect expect = Expect::accepted;

    std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
    std::string_view query() const { return target.find('?') == std::string::npos ? std::string_view{} : std::string_view(target).substr(target.find('?') + 1); }
    std::string_view header(std::string_view name) const;
    std::vector<HeaderView> views() const;
};

const std::vector<Vector>& vectors();
const Vector& vector(std::string_view id);

struct Judged {
    bool accepted = false;
    std::string_view why;        // refused by what
    std::string decoded;         // all that a room could read of an accepted request, and the signature
    std::string string_to_sign;  // V1: always. V3: of a refused one
    std::string canonical_request;
};

// As the pipeline does it: path, parameters, scheme, key (only the vector's own is known), signature.
Judged judge(const Vector& request, const SigningKey& key, std::string_view access_key);

}  // namespace openrd::wire::test
