#pragma once
// Signatures of requests: V1 (protocol.md A) and V3, "ACS3-HMAC-SHA256" (protocol.md B). The same functions verify for the
// server and sign for `openrd call`. Nothing here throws for what a client sent, and nothing keeps or prints a secret.
#include "base/secret.hpp"
#include "wire/parameters.hpp"

#include <tl/expected.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::wire {

// One AccessKey secret, ready to sign: the HMAC pads of each scheme are made once (measured: as fast as anything, and half the
// cost of a one-shot HMAC). Share it with a shared_ptr; const members may be called by any number of threads at once.
struct SigningKey {
  public:
    explicit SigningKey(const base::Secret& secret);
    ~SigningKey();
    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;

    std::array<unsigned char, 20> v1_sha1(std::string_view text) const;    // key: secret + "&"
    std::array<unsigned char, 32> v1_sha256(std::string_view text) const;  // key: secret + "&"
    std::array<unsigned char, 32> v3_sha256(std::string_view text) const;  // key: secret

  private:
    struct Pads {
        std::array<unsigned char, 64> inner, outer;
    };
    Pads v1_sha1_, v1_sha256_, v3_sha256_;
};

std::string sha256_hex(std::string_view bytes);  // x-acs-content-sha256
std::string md5_base64(std::string_view bytes);  // Content-MD5

// ---- V1 ----

enum class SignatureMethod : std::uint8_t { hmac_sha1, hmac_sha256 };
// Of the parameter SignatureMethod: "HMAC-SHA1", "HMAC-SHA256". Nothing for others (InvalidSignatureMethod).
std::optional<SignatureMethod> signature_method(std::string_view text);

// METHOD&%2F&.. over all parameters but Signature.
std::string string_to_sign_v1(std::string_view method, const Parameters& parameters);
std::string sign_v1(const SigningKey& key, SignatureMethod method, std::string_view string_to_sign);  // base64
// The text must be exactly ours (one spelling of base64); the time tells nothing about how much of it was right.
[[nodiscard]] bool verify_v1(const SigningKey& key, SignatureMethod method, std::string_view string_to_sign, std::string_view signature_base64);

// ---- V3 ----

// The header names its scheme: ACS3-.. or ACS4-.. (which parse_authorization refuses). Everything else is V1.
bool is_acs3(std::string_view authorization);

// The parts of an Authorization header, as views into it.
struct Acs3 {
    std::string_view credential;  // the AccessKeyId; empty when it is missing (MissingAccessKeyId)
    std::string_view signed_headers;
    std::string_view signature;
};

// unknown_algorithm: another than ACS3-HMAC-SHA256 (InvalidSignatureMethod). malformed: IncompleteSignature.
enum class AuthorizationTrouble : std::uint8_t { unknown_algorithm, malformed };

// Parts by name in any order, each at most once, no others, spaces allowed around them. SignedHeaders: at most 64 distinct
// lower-case header names.
tl::expected<Acs3, AuthorizationTrouble> parse_authorization(std::string_view authorization);

bool header_is_signed(std::string_view signed_headers, std::string_view name);  // name in lower case
// x-acs-action, -version, -date, -signature-nonce, -content-sha256, and -security-token when a token is used (protocol.md B.2).
bool required_headers_signed(std::string_view signed_headers, bool with_token);

struct HeaderView {
    std::string_view name;  // as sent
    std::string_view value;
};

struct V3Request {
    std::string_view method;
    std::span<const Parameters::Entry> query;  // decoded pairs of the query alone, in any order: query_pairs()
    std::span<const HeaderView> headers;
    std::string_view body;  // as sent, de-chunked
};

// How names stand in the canonical query: as they are (Go, node, Python, C#, C++) or percent-encoded (Java, PHP).
enum class KeyEncoding : std::uint8_t { raw, encoded };

// Nothing: raw, and a name holds '&', '=', CR, LF or NUL, or "%41", which would sign the same text as other names.
std::optional<std::string> canonical_request(const V3Request& request, std::string_view signed_headers, std::string_view payload_hash, KeyEncoding names);
std::string string_to_sign_v3(std::string_view canonical_request);

// What a refused request is told (protocol.md E): ours, of the first form that was tried. Both empty when ok.
struct V3Verdict {
    bool ok = false;
    std::string string_to_sign;
    std::string canonical_request;
};

// The body has the hash that x-acs-content-sha256 says, and the signature is right for raw or for encoded names. Never ok: a
// signed header with a line break or NUL in it, and a repeated x-acs-.., content-type or host (their values are sorted before they
// are signed, so the signature would not say which comes first).
[[nodiscard]] V3Verdict verify_v3(const SigningKey& key, const Acs3& given, const V3Request& request);

// The Authorization header for a request whose headers are complete (x-acs-content-sha256 among them).
std::string sign_v3(const SigningKey& key, std::string_view credential, std::string_view signed_headers, const V3Request& request);
// What a client signs: host, content-type and x-acs-.., in lower case, sorted.
std::string default_signed_headers(std::span<const HeaderView> headers);

}  // namespace openrd::wire
