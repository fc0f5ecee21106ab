#pragma once
// What requests there were, for the metrics page: counters that many threads add to without waiting for each other. Their labels are
// operations and classes of status codes: never an account, a number or a code.
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace openrd::api {
class AnyOperation;
}

namespace openrd::pipeline {

class Metrics {
  public:
    Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;
    ~Metrics();

    // An answer. Null: to a request that named no operation of ours. From any thread.
    void count(const api::AnyOperation* operation, int status, std::int64_t took_ns) noexcept;

    // Appends Prometheus' text format: openrd_requests_total and openrd_request_seconds. Operations that nobody has called are left out.
    void write(std::string& out) const;

  private:
    struct Row;
    struct Shard;
    Row sum(std::size_t operation) const;

    std::vector<std::string> names_;                                    // of the operations, and at the end of none
    std::unordered_map<const api::AnyOperation*, std::size_t> places_;  // in names_
    std::unique_ptr<Shard[]> shards_;
};

}  // namespace openrd::pipeline
