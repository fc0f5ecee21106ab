#include "net/tls.hpp"

#include "net/tls_connection.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

namespace openrd::net {
namespace {

namespace asio = boost::asio;

// Of TLS 1.2; 1.3 has none but good ones.
constexpr const char* ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL";
constexpr std::array<unsigned char, 9> protocols = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

// The first error that OpenSSL noted, without its numbers.
std::string noted_reason() {
    const auto error = ERR_get_error();
    ERR_clear_error();
    if (ERR_SYSTEM_ERROR(error)) return std::strerror(static_cast<int>(ERR_GET_REASON(error)));  // NOLINT(concurrency-mt-unsafe)
    const char* reason = ERR_reason_error_string(error);
    return reason ? reason : "it is not understood";
}

[[noreturn]] void fail(std::string_view what, const std::string& file) { throw std::runtime_error(fmt::format("{} {}: {}", what, file, noted_reason())); }

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned offered_length, void*) {
    unsigned char* found = nullptr;
    const int result = SSL_select_next_proto(&found, length, protocols.data(), static_cast<unsigned>(protocols.size()), offered, offered_length);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// A key with a passphrase is refused: without this OpenSSL would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

void check_key_file(const std::string& file) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) throw std::runtime_error(fmt::format("TLS key {}: {}", file, std::strerror(errno)));  // NOLINT(concurrency-mt-unsafe)
    if (!S_ISREG(facts.st_mode)) throw std::runtime_error(fmt::format("TLS key {}: it is not a regular file", file));
    if ((facts.st_mode & (S_IROTH | S_IWOTH)) != 0) throw std::runtime_error(fmt::format("TLS key {}: others may read or write it (chmod o-rw)", file));
}

std::int64_t end_of(const X509* certificate) {
    std::tm when{};
    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1) return 0;
    return ::timegm(&when);
}

Context load(const std::string& certificate_file, const std::string& key_file) {
    check_key_file(key_file);
    ERR_clear_error();
    Context context(SSL_CTX_new(TLS_server_method()));
    if (!context) throw std::bad_alloc();
    SSL_CTX* c = context.get();
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(c, ciphers);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // An answer is written in records as they go, out of a buffer that may have moved; idle connections keep no buffers.
    SSL_CTX_set_mode(c, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
    SSL_CTX_set_default_passwd_cb(c, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(c, certificate_file.c_str()) != 1) fail("TLS certificate", certificate_file);
    if (SSL_CTX_use_PrivateKey_file(c, key_file.c_str(), SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(c) != 1) fail("TLS key", key_file);
    return context;
}

}  // namespace

struct TlsContext::Loaded {
    Context context;
    std::int64_t expires_at_s = 0;
};

TlsContext::TlsContext(std::string certificate_file, std::string key_file) : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) { reload(); }

TlsContext::~TlsContext() = default;

void TlsContext::reload() {
    auto context = load(certificate_file_, key_file_);
    const auto end = end_of(SSL_CTX_get0_certificate(context.get()));
    std::atomic_store(&loaded_, std::make_shared<const Loaded>(Loaded{.context = std::move(context), .expires_at_s = end}));
}

std::shared_ptr<const TlsContext::Loaded> TlsContext::current() const { return std::atomic_load(&loaded_); }

std::int64_t TlsContext::expires_at_s() const { return current()->expires_at_s; }

std::unique_ptr<TlsConnection> TlsContext::accept(int socket) const {
    SSL* ssl = SSL_new(current()->context.get());  // which it keeps
    if (!ssl || SSL_set_fd(ssl, socket) != 1) {
        SSL_free(ssl);
        throw std::bad_alloc();
    }
    SSL_set_accept_state(ssl);
    return std::make_unique<TlsConnection>(ssl);
}

void TlsConnection::Free::operator()(SSL* ssl) const noexcept { SSL_free(ssl); }

std::size_t TlsConnection::failed(int result, ErrorCode& error) {
    switch (SSL_get_error(ssl_.get(), result)) {
        case SSL_ERROR_WANT_READ:
            waits_for_room_ = false;
            error = asio::error::would_block;
            break;
        case SSL_ERROR_WANT_WRITE:
            waits_for_room_ = true;
            error = asio::error::would_block;
            break;
        case SSL_ERROR_ZERO_RETURN:
            error = asio::error::eof;
            break;
        default:  // also an end without its notice: what came before may be cut off
            broken_ = true;
            error = asio::error::connection_reset;
    }
    ERR_clear_error();
    return 0;
}

std::size_t TlsConnection::read(std::span<char> room, ErrorCode& error) {
    error = {};
    if (broken_) {
        error = asio::error::connection_reset;
        return 0;
    }
    const int count = SSL_read(ssl_.get(), room.data(), static_cast<int>(std::min<std::size_t>(room.size(), std::numeric_limits<int>::max())));
    return count > 0 ? static_cast<std::size_t>(count) : failed(count, error);
}

std::size_t TlsConnection::write(std::string_view bytes, ErrorCode& error) {
    error = {};
    if (broken_ || finished_ || SSL_is_init_finished(ssl_.get()) != 1) {
        error = asio::error::connection_reset;
        return 0;
    }
    const int count = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), std::numeric_limits<int>::max())));
    return count > 0 ? static_cast<std::size_t>(count) : failed(count, error);
}

bool TlsConnection::pending() const { return !broken_ && SSL_has_pending(ssl_.get()) == 1; }

void TlsConnection::finish() {
    if (std::exchange(finished_, true) || broken_ || SSL_is_init_finished(ssl_.get()) != 1) return;
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
}

}  // namespace openrd::net
