#pragma once
// A file descriptor that is closed with its owner.
#include <unistd.h>

namespace openrd::base {

class Descriptor {
  public:
    // Negative: there is none.
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    bool open() const { return fd_ >= 0; }

  private:
    int fd_;
};

}  // namespace openrd::base
