#pragma once
// Before the pipeline: while the sandbox resets itself, API requests wait here, so that each of them is done whole before the reset
// or whole after it.
#include "pipeline/handler.hpp"

#include <atomic>
#include <cstddef>
#include <mutex>
#include <vector>

namespace openrd::sandbox {

class Gate final : public pipeline::Handler {
  public:
    explicit Gate(pipeline::Handler& next) : next_(next) {}

    void handle(const pipeline::Request& request, pipeline::Done done) override;

    // From now on requests wait; close() does not wait for those that are past.
    void close();
    // Requests on their way through: while it is closed and none is, whoever is past has reached the next handler.
    std::size_t passing() const { return passing_.load(); }
    // Lets those that wait go on, on this thread, and all others.
    void open();

  private:
    struct Waiting {
        pipeline::Request request;  // its views live until it is answered
        pipeline::Done done;
    };
    pipeline::Handler& next_;
    // Both sequentially consistent: either a request sees that the gate is closed, or whoever closes it sees the request.
    std::atomic<bool> closed_{false};
    std::atomic<std::size_t> passing_{0};
    std::mutex mutex_;
    std::vector<Waiting> waiting_;
};

}  // namespace openrd::sandbox
