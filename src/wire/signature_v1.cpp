#include "base/text.hpp"
#include "wire/digest.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

namespace openrd::wire {

std::optional<SignatureMethod> signature_method(std::string_view text) {
    if (text == "HMAC-SHA1") return SignatureMethod::hmac_sha1;
    if (text == "HMAC-SHA256") return SignatureMethod::hmac_sha256;
    return {};
}

std::string string_to_sign_v1(std::string_view method, const Parameters& parameters) {
    std::size_t size = 16 + method.size();
    for (const auto& [name, value] : parameters.all()) size += name.size() + value.size() + value.size() / 4 + 6;
    std::string out;
    out.reserve(size);
    out += method;
    out += "&%2F&";
    bool first = true;
    for (const auto& [name, value] : parameters.all()) {
        if (name == "Signature") continue;
        if (!first) out += "%26";
        first = false;
        append_twice_percent_encoded(out, name);
        out += "%3D";
        append_twice_percent_encoded(out, value);
    }
    return out;
}

std::string sign_v1(const SigningKey& key, SignatureMethod method, std::string_view string_to_sign) {
    if (method == SignatureMethod::hmac_sha1) return base::base64(view_of(key.v1_sha1(string_to_sign)));
    return base::base64(view_of(key.v1_sha256(string_to_sign)));
}

bool verify_v1(const SigningKey& key, SignatureMethod method, std::string_view string_to_sign, std::string_view signature_base64) {
    return base::constant_time_equal(sign_v1(key, method, string_to_sign), signature_base64);
}

}  // namespace openrd::wire
