#pragma once
// Why a command stops: one clear line for stderr, and its exit status.
#include <stdexcept>
#include <string>

namespace openrd {

inline constexpr int refused_status = 1;   // the command was understood and the answer is no
inline constexpr int unusable_status = 2;  // bad settings, a database or file that cannot be used: nothing was touched

class Failure : public std::runtime_error {
  public:
    explicit Failure(const std::string& line, int status = unusable_status) : std::runtime_error(line), status_(status) {}
    int status() const { return status_; }

  private:
    int status_;
};

}  // namespace openrd
