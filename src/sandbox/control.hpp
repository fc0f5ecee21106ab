#pragma once
// The control endpoints under /_openrd/ (sandbox.md 3).
#include "base/clock.hpp"
#include "db/engine.hpp"
#include "pipeline/handler.hpp"
#include "sandbox/clock_page.hpp"
#include "sandbox/inbox_page.hpp"
#include "sandbox/reset.hpp"

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::sandbox {

// Whether the request is one for here.
bool is_control(std::string_view target);

class Control final : public pipeline::Handler {
  public:
    struct Parts {
        bool sandbox = false;        // otherwise every page of the sandbox is 404
        std::string listen_address;  // an IP address
        db::Engine& engine;
        base::Clock& clock;
        delivery::Inbox& inbox;
        Reset& reset;
        // Time has moved: do what is due.
        std::function<void()> clock_moved;
        // Why the server is not ready, beyond what the database says; one sentence each.
        std::function<std::vector<std::string>()> troubles;
        // What a ready server should say all the same.
        std::function<std::vector<std::string>()> warnings = {};
        // Prometheus text.
        std::function<std::string()> metrics = {};
    };
    // What is referred to outlives it.
    explicit Control(Parts parts);

    void handle(const pipeline::Request& request, pipeline::Done done) override;

    // Answers those who wait for messages, with none.
    void end_waits() { inbox_.end_waits(); }
    // The server is going: not ready any more, and nobody waits.
    void drain();

  private:
    struct Way;
    static std::span<const Way> ways();
    void live(const pipeline::Request&, const Target&, pipeline::Done&);
    void ready(const pipeline::Request&, const Target&, pipeline::Done&);
    void metrics(const pipeline::Request&, const Target&, pipeline::Done&);
    void read_inbox(const pipeline::Request&, const Target&, pipeline::Done&);
    void empty_inbox(const pipeline::Request&, const Target&, pipeline::Done&);
    void reset(const pipeline::Request&, const Target&, pipeline::Done&);
    void read_clock(const pipeline::Request&, const Target&, pipeline::Done&);
    void move_clock(const pipeline::Request&, const Target&, pipeline::Done&);
    void reset_clock(const pipeline::Request&, const Target&, pipeline::Done&);
    void operations(const pipeline::Request&, const Target&, pipeline::Done&);

    Parts parts_;
    ClockPage clock_;
    InboxPage inbox_;
    std::atomic<bool> draining_{false};
};

}  // namespace openrd::sandbox
