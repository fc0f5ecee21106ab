#include "openrd/notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

namespace openrd {
namespace {

// A service manager's end.
class Listener {
  public:
    explicit Listener(const std::string& name) : name_(name), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name.data(), name.size());
        if (name[0] == '@') address.sun_path[0] = '\0';
        else ::unlink(name.c_str());
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '@' ? 0 : 1));
        if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length) != 0) throw std::runtime_error("no socket for the test");
        const timeval limit{.tv_sec = 30, .tv_usec = 0};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() {
        ::close(fd_);
        if (name_[0] != '@') ::unlink(name_.c_str());
    }
    std::string heard() const {
        std::array<char, 512> bytes{};
        const auto count = ::recv(fd_, bytes.data(), bytes.size(), 0);
        return count > 0 ? std::string(bytes.data(), static_cast<std::size_t>(count)) : "nothing";
    }

  private:
    std::string name_;
    int fd_;
};

class NotifierTo : public ::testing::TestWithParam<std::string> {};

TEST_P(NotifierTo, ASocketSaysHowTheServerIs) {
    const std::string name = GetParam() + std::to_string(::getpid());
    const Listener manager(name);
    const Notifier notifier(name);
    notifier.ready("serving");
    EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=serving\nMAINPID=" + std::to_string(::getpid()));
    notifier.reloading();
    EXPECT_TRUE(manager.heard().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    notifier.alive();
    EXPECT_EQ(manager.heard(), "WATCHDOG=1");
    notifier.stopping();
    EXPECT_EQ(manager.heard(), "STOPPING=1");
}
INSTANTIATE_TEST_SUITE_P(OfBothKinds, NotifierTo, ::testing::Values("/tmp/openrd-notify-", "@openrd-notify-"));

TEST(Notifier, SaysNothingWhereNobodyListens) {
    Notifier("").ready("x");
    Notifier("relative").ready("x");
    Notifier("/nowhere/at/all").ready("x");
    Notifier(std::string(500, '/')).ready("x");
}

TEST(Notifier, HasAWatchdogOnlyWhenItIsMeantForThisProcess) {
    ::setenv("WATCHDOG_USEC", "3000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_EQ(Notifier().watchdog_ms(), 3000);
    ::setenv("WATCHDOG_PID", "1", 1);
    EXPECT_FALSE(Notifier().watchdog_ms());
    ::setenv("WATCHDOG_USEC", "soon", 1);
    ::unsetenv("WATCHDOG_PID");
    EXPECT_FALSE(Notifier().watchdog_ms());
    ::unsetenv("WATCHDOG_USEC");
    EXPECT_FALSE(Notifier().watchdog_ms());
}

}  // namespace
}  // namespace openrd
