#pragma once
// Debian's Kannel in processes of the test's own, by the configuration of packaging/kannel.conf: only ports, paths, passwords and
// waits are the test's.
#include <sys/types.h>

#include <string>

namespace openrd::tests {

class Kannel {
  public:
    // Empty: Kannel is there; else why not, for GTEST_SKIP.
    static std::string missing();

    // Returns when smsbox takes messages. Throws std::runtime_error with the end of the logs.
    explicit Kannel(int smsc_port);
    Kannel(const Kannel&) = delete;
    Kannel& operator=(const Kannel&) = delete;
    ~Kannel();

    std::string url() const { return "http://127.0.0.1:" + std::to_string(sendsms_port_) + "/cgi-bin/sendsms"; }
    static constexpr const char *user = "otp", *password = "test-sendsms-password", *smsc_user = "otp", *smsc_password = "smpppw";
    // What both boxes have written to disk, the receipts that are waited for left out.
    std::string written() const;
    void stop_smsbox();

  private:
    std::string directory_;
    int sendsms_port_ = 0;
    pid_t bearerbox_ = 0, smsbox_ = 0;
};

}  // namespace openrd::tests
