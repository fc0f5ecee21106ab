#pragma once
// GET and DELETE of /_openrd/inbox: what would have been sent to phones.
#include "delivery/inbox.hpp"
#include "pipeline/handler.hpp"
#include "sandbox/query.hpp"

#include <cstdint>
#include <memory>

namespace openrd::sandbox {

inline constexpr std::int64_t longest_inbox_wait_ms = 600'000;

class InboxPage {
  public:
    explicit InboxPage(delivery::Inbox& inbox);

    // ?to=65-81234567&account=1000000000000002&purpose=bind&after=17&wait=5s: messages that match, newest first. With `wait` the
    // call is held until there is one or the time is up; no thread waits for it.
    void get(const Target& target, pipeline::Done done);
    pipeline::Response remove();

    // Answers those who wait, with none.
    void end_waits();
    // The same, and from now on nobody waits.
    void close();

  private:
    struct Held;  // shared with the inbox, which may call later than this lives
    delivery::Inbox& inbox_;
    std::shared_ptr<Held> held_;
};

}  // namespace openrd::sandbox
