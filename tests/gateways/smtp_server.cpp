#include "gateways/smtp_server.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace openrd::tests {
namespace {

template <class Thing> using Owned = std::unique_ptr<Thing, void (*)(Thing*)>;

Owned<X509> self_signed(EVP_PKEY* key) {
    Owned<X509> certificate(X509_new(), X509_free);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86'400);
    X509_set_pubkey(certificate.get(), key);
    auto* const name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("mail of a test"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    for (const auto& [kind, value] : {std::pair{NID_subject_alt_name, "IP:127.0.0.1"}, std::pair{NID_basic_constraints, "critical,CA:TRUE"}}) {
        const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, nullptr, kind, value), X509_EXTENSION_free);
        X509_add_ext(certificate.get(), extension.get(), -1);
    }
    if (X509_sign(certificate.get(), key, EVP_sha256()) == 0) throw std::runtime_error("no certificate");
    return certificate;
}

std::string name_in(const std::string& line) {
    const auto open = line.find('<'), close = line.find('>');
    return open == std::string::npos || close == std::string::npos ? std::string() : line.substr(open + 1, close - open - 1);
}

}  // namespace

// One connection.
class SmtpServer::Session {
  public:
    Session(SmtpServer& server, int fd) : server_(server), fd_(fd), tls_(nullptr, SSL_free) {}

    void run() {
        say("220 mail.test ESMTP");
        while (const auto line = read_line()) {
            const auto verb = base::ascii_lower(line->substr(0, line->find(' ')));
            {
                const std::lock_guard lock(server_.mutex_);
                server_.commands_.push_back(verb);
            }
            if (!command(verb, *line)) return;
        }
    }

  private:
    bool command(const std::string& verb, const std::string& line) {
        if (verb == "ehlo")
            return say(std::string("250-mail.test\r\n") + (server_.offers_tls_ && !tls_ ? "250-STARTTLS\r\n" : "") + (tls_ ? "250-AUTH PLAIN\r\n" : "") + "250 8BITMIME");
        if (verb == "starttls") return say("220 go ahead") && begin_tls();
        if (verb == "auth") return log_in(line);
        if (verb == "mail") return letter_ = {.from = name_in(line), .to = {}, .text = {}, .encrypted = tls_ != nullptr, .logged_in = logged_in_}, say("250 ok");
        if (verb == "rcpt") return receiver(name_in(line));
        if (verb == "data") return say("354 go ahead") && data();
        if (verb == "quit") return say("221 bye"), false;
        return say("500 what?");
    }
    bool log_in(const std::string& line) {
        const auto right = base::base64(std::string("\0", 1) + user + '\0' + password);
        const auto given = line.substr(line.rfind(' ') + 1);
        if (given == "PLAIN") {  // in a line of its own
            say("334 ");
            const auto next = read_line();
            logged_in_ = next && *next == right;
        } else {
            logged_in_ = given == right;
        }
        return say(logged_in_ ? "235 welcome" : "535 no");
    }
    bool receiver(const std::string& name) {
        letter_.to = name;
        if (name.starts_with("full@")) return say("550 no such mailbox");
        if (name.starts_with("busy@")) return say("451 come back later");
        if (name.starts_with("silent-before@")) return wait_for_close();
        return say("250 ok");
    }
    bool data() {
        letter_.text.clear();
        while (const auto line = read_line()) {
            if (*line == ".") {
                {
                    const std::lock_guard lock(server_.mutex_);
                    server_.letters_.push_back(letter_);
                }
                if (letter_.to.starts_with("bad-letter@")) return say("554 no");
                if (letter_.to.starts_with("later@")) return say("451 later");
                if (letter_.to.starts_with("silent@")) return wait_for_close();
                if (letter_.to.starts_with("gone@")) return false;
                return say("250 queued");
            }
            letter_.text += *line + "\n";
        }
        return false;
    }
    bool wait_for_close() {
        while (read_line()) {}
        return false;
    }
    bool begin_tls() {
        tls_.reset(SSL_new(server_.context_.get()));
        SSL_set_fd(tls_.get(), fd_);
        return SSL_accept(tls_.get()) == 1;
    }
    bool say(const std::string& line) {
        const auto out = line + "\r\n";
        const auto size = static_cast<int>(out.size());
        return tls_ ? SSL_write(tls_.get(), out.data(), size) == size : ::send(fd_, out.data(), out.size(), MSG_NOSIGNAL) == size;
    }
    std::optional<std::string> read_line() {
        while (true) {
            if (const auto end = read_.find("\r\n"); end != std::string::npos) {
                auto line = read_.substr(0, end);
                read_.erase(0, end + 2);
                return line;
            }
            if (!tls_ || SSL_pending(tls_.get()) == 0) {
                pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
                while (::poll(&ready, 1, 20) <= 0)
                    if (server_.stopping_) return {};
            }
            char part[4096];
            const auto got = tls_ ? SSL_read(tls_.get(), part, sizeof part) : static_cast<int>(::recv(fd_, part, sizeof part, 0));
            if (got <= 0) return {};
            read_.append(part, static_cast<std::size_t>(got));
        }
    }

    SmtpServer& server_;
    int fd_;
    Owned<SSL> tls_;
    std::string read_;
    Letter letter_;
    bool logged_in_ = false;
};

SmtpServer::SmtpServer(bool offers_tls) : offers_tls_(offers_tls), context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free) {
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const auto certificate = self_signed(key.get());
    if (SSL_CTX_use_certificate(context_.get(), certificate.get()) != 1 || SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1)
        throw std::runtime_error("no TLS for the mail of the test");
    certificate_file_ = (std::filesystem::temp_directory_path() / ("openrd-mail-" + std::to_string(::getpid()) + ".pem")).string();
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(certificate_file_.c_str(), "w"), std::fclose);
    if (!file || PEM_write_X509(file.get(), certificate.get()) != 1) throw std::runtime_error("no certificate file");
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listening_ < 0 || ::bind(listening_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listening_, 16) != 0 ||
        ::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no port for the mail of the test");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

SmtpServer::~SmtpServer() {
    stopping_ = true;
    thread_.join();
    ::close(listening_);
    std::error_code ignored;
    std::filesystem::remove(certificate_file_, ignored);
}

void SmtpServer::run() {
    while (!stopping_) {
        pollfd ready{.fd = listening_, .events = POLLIN, .revents = 0};
        if (::poll(&ready, 1, 20) <= 0) continue;
        const int fd = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        Session(*this, fd).run();
        ::close(fd);
    }
}

std::vector<Letter> SmtpServer::letters() const {
    const std::lock_guard lock(mutex_);
    return letters_;
}

int SmtpServer::commands(const std::string& verb) const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::ranges::count(commands_, verb));
}

}  // namespace openrd::tests
