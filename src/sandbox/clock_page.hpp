#pragma once
// GET, PUT and DELETE of /_openrd/clock: the server's clock as a test moves it.
#include "base/clock.hpp"
#include "pipeline/handler.hpp"

#include <functional>
#include <mutex>

namespace openrd::sandbox {

class ClockPage {
  public:
    // `moved` is told after each change, so that what has become due is done.
    ClockPage(base::Clock& clock, std::function<void()> moved) : clock_(clock), moved_(std::move(moved)) {}

    // {"now":"2026-11-24T13:00:00.000Z","real":"...","frozen":false}
    pipeline::Response get() const;
    // {"now":"2026-11-24T13:00:00Z"} or {"advance":"11m"}, either with {"freeze":true} or {"freeze":false}, or that alone.
    pipeline::Response put(std::string_view body);
    pipeline::Response remove();  // back to real time

  private:
    base::Clock& clock_;
    std::function<void()> moved_;
    std::mutex changing_;  // a change is several steps of the clock
};

}  // namespace openrd::sandbox
