#include "wire/digest.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace openrd::wire {
namespace {

// Never freed: threads may still hash while the process exits.
EVP_MD* fetched(const char* name) {
    EVP_MD* md = EVP_MD_fetch(nullptr, name, nullptr);
    if (!md) throw std::runtime_error(std::string("OpenSSL offers no ") + name);
    return md;
}

struct FreeContext {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

template <class Bytes> Bytes run(EVP_MD_CTX* context, const EVP_MD* md, std::string_view first, std::string_view second) {
    Bytes out;
    const bool done = context && EVP_DigestInit_ex2(context, md, nullptr) == 1 && EVP_DigestUpdate(context, first.data(), first.size()) == 1 &&
                      EVP_DigestUpdate(context, second.data(), second.size()) == 1 && EVP_DigestFinal_ex(context, out.data(), nullptr) == 1;
    if (!done) throw std::runtime_error("OpenSSL cannot hash");  // out of memory is the only way
    return out;
}

}  // namespace

Md5 md5(std::string_view text) {
    static const EVP_MD* const md = fetched("MD5");
    thread_local const Context context(EVP_MD_CTX_new());
    return run<Md5>(context.get(), md, text, {});
}

Sha1 sha1(std::string_view first, std::string_view second) {
    static const EVP_MD* const md = fetched("SHA1");
    thread_local const Context context(EVP_MD_CTX_new());
    return run<Sha1>(context.get(), md, first, second);
}

Sha256 sha256(std::string_view first, std::string_view second) {
    static const EVP_MD* const md = fetched("SHA2-256");
    thread_local const Context context(EVP_MD_CTX_new());
    return run<Sha256>(context.get(), md, first, second);
}

Sha256Hex hex_of(const Sha256& hash) {
    constexpr char digits[] = "0123456789abcdef";
    Sha256Hex out;
    for (std::size_t i = 0; i < hash.size(); ++i) {
        out[2 * i] = digits[hash[i] >> 4];
        out[2 * i + 1] = digits[hash[i] & 15];
    }
    return out;
}

}  // namespace openrd::wire
