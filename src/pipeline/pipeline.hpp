#pragma once
// The road of an API request, from its bytes to its answer: stages.cpp has the stages in order, each with its reason.
#include "base/limits.hpp"
#include "db/engine.hpp"
#include "pipeline/handler.hpp"
#include "pipeline/metrics.hpp"

#include <memory>

namespace openrd::base {
class Clock;
}
namespace openrd::keys {
class Ring;
}
namespace openrd::phone {
class Numbering;
}

namespace openrd::pipeline {

class Pipeline final : public Handler {
  public:
    // All of them outlive the pipeline. Reads the nonces of recent writes back from the audit log.
    Pipeline(db::Engine&, const keys::Ring&, const phone::Numbering&, const base::Clock&, const base::Settings&);
    ~Pipeline() override;

    // Answers once: at once for what is refused before the database and, on SQLite, for reads; after the commit for writes.
    void handle(const Request& request, Done done) override;

    // Once a second, on any one thread: writes the counted refusals of the minutes that are over, deletes old rate windows; finds out
    // whether a database that took no writes takes them again.
    void housekeep();
    // False from the first write that the database did not take (full, read-only, away) until housekeep() has found that it takes them
    // again: who sends no requests to a server that is not ready need not find that out.
    bool takes_writes() const;
    // Writes what is counted so far, whatever the minute; for the end.
    void flush();

    // The sandbox's reset: forgets nonces, rates and identities.
    void forget();
    // Requests that came in and are not answered yet.
    std::size_t in_flight() const;
    const Metrics& metrics() const;

    struct State;

  private:
    std::unique_ptr<State> state_;
};

}  // namespace openrd::pipeline
