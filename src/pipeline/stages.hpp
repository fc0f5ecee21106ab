#pragma once
// The order in which a request is looked at: stages.cpp.
#include "api/call.hpp"
#include "pipeline/audit_record.hpp"
#include "pipeline/exchange.hpp"
#include "pipeline/metrics.hpp"
#include "pipeline/nonces.hpp"
#include "pipeline/pipeline.hpp"
#include "pipeline/throttle.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <span>

namespace openrd::pipeline {

struct Pipeline::State {
    db::Engine& engine;
    const keys::Ring& ring;
    const phone::Numbering& numbering;
    const base::Clock& clock;
    const base::Settings& settings;
    Identities identities = {};
    Nonces nonces;
    Throttle throttle = {};
    std::atomic<std::size_t> in_flight{0};
    Metrics metrics = {};
    std::atomic<bool> writes_refused{false};  // the database did not take a write, nor a probe since
    std::atomic<bool> probing{false};

    std::mutex counted_mutex = {};
    std::map<std::pair<std::string, std::int64_t>, CountedRefusals> counted = {};  // by key and code, and minute
};

struct Stage {
    std::string_view name;
    std::optional<Refusal> (*run)(Exchange&, Pipeline::State&);
    bool asks_the_database = false;
};
// On the thread that read the request, before there is a transaction.
std::span<const Stage> stages_before();

// Inside the operation's transaction: who may, then the room. Fills in the answer or the refusal of the exchange. Throws
// db::Error when the database fails: then nothing was done.
void execute(Exchange&, Pipeline::State&, db::Transaction&);

}  // namespace openrd::pipeline
