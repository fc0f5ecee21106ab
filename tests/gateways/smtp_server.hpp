#pragma once
// A mail server of the test's own: SMTP with STARTTLS on loopback, by a certificate that it made itself. What it does with a letter
// follows from the receiver's name.
#include <openssl/ssl.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace openrd::tests {

struct Letter {
    std::string from, to, text;
    bool encrypted = false, logged_in = false;
};

// Receivers: full@ is refused for ever (550), busy@ for now (451), bad-letter@ after the letter (554), later@ after it for now (451), silent@ gets
// no answer to the letter, gone@ has its connection closed instead, silent-before@ no answer to RCPT. Everybody else gets his mail.
class SmtpServer {
  public:
    explicit SmtpServer(bool offers_tls = true);
    SmtpServer(const SmtpServer&) = delete;
    SmtpServer& operator=(const SmtpServer&) = delete;
    ~SmtpServer();

    std::string url() const { return "smtp://127.0.0.1:" + std::to_string(port_); }
    const std::string& certificate_file() const { return certificate_file_; }
    static constexpr const char *user = "openrd", *password = "mail-password-canary";
    // Those it has answered 250 or would have.
    std::vector<Letter> letters() const;
    int commands(const std::string& verb) const;

  private:
    class Session;
    void run();

    bool offers_tls_;
    int listening_ = -1, port_ = 0;
    std::string certificate_file_;
    std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context_;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::vector<Letter> letters_;
    std::vector<std::string> commands_;
    std::thread thread_;
};

}  // namespace openrd::tests
