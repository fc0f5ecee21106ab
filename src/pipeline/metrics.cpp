#include "pipeline/metrics.hpp"

#include "api/operation.hpp"
#include "api/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>

namespace openrd::pipeline {
namespace {

// A thread has a shard of its own while there are no more threads than shards.
constexpr std::size_t shard_count = 16;
// Upper ends in microseconds; one more bucket holds what is slower.
constexpr std::array<std::int64_t, 13> bucket_us = {250, 500, 1'000, 2'500, 5'000, 10'000, 25'000, 50'000, 100'000, 250'000, 500'000, 1'000'000, 5'000'000};
constexpr std::array<std::string_view, 4> classes = {"2xx", "3xx", "4xx", "5xx"};

std::size_t class_of(int status) { return static_cast<std::size_t>(std::clamp(status / 100, 2, 5) - 2); }

std::size_t own_shard() {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed) % shard_count;
    return mine;
}

template <class Number> struct Counts {
    std::array<Number, classes.size()> by_class{};
    std::array<Number, bucket_us.size() + 1> by_time{};
    Number nanoseconds{};
};

}  // namespace

struct Metrics::Row : Counts<std::uint64_t> {};

struct alignas(64) Metrics::Shard {
    std::unique_ptr<Counts<std::atomic<std::uint64_t>>[]> rows;
};

Metrics::Metrics() : shards_(std::make_unique<Shard[]>(shard_count)) {
    for (const auto* operation : api::operations()) {
        places_.emplace(operation, names_.size());
        names_.emplace_back(operation->name);
    }
    names_.emplace_back("-");
    for (std::size_t i = 0; i < shard_count; ++i) shards_[i].rows = std::make_unique<Counts<std::atomic<std::uint64_t>>[]>(names_.size());
}

Metrics::~Metrics() = default;

void Metrics::count(const api::AnyOperation* operation, int status, std::int64_t took_ns) noexcept {
    const auto place = places_.find(operation);
    auto& row = shards_[own_shard()].rows[place == places_.end() ? names_.size() - 1 : place->second];
    const auto bucket = std::ranges::lower_bound(bucket_us, (took_ns + 999) / 1000) - bucket_us.begin();
    row.by_class[class_of(status)].fetch_add(1, std::memory_order_relaxed);
    row.by_time[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    row.nanoseconds.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(took_ns, 0)), std::memory_order_relaxed);
}

Metrics::Row Metrics::sum(std::size_t operation) const {
    Row total;
    for (std::size_t shard = 0; shard < shard_count; ++shard) {
        const auto& row = shards_[shard].rows[operation];
        for (std::size_t i = 0; i < total.by_class.size(); ++i) total.by_class[i] += row.by_class[i].load(std::memory_order_relaxed);
        for (std::size_t i = 0; i < total.by_time.size(); ++i) total.by_time[i] += row.by_time[i].load(std::memory_order_relaxed);
        total.nanoseconds += row.nanoseconds.load(std::memory_order_relaxed);
    }
    return total;
}

void Metrics::write(std::string& out) const {
    std::vector<Row> rows;
    for (std::size_t i = 0; i < names_.size(); ++i) rows.push_back(sum(i));
    const auto append = std::back_inserter(out);
    out += "# HELP openrd_requests_total Answers, by operation and class of status; \"-\" is none of ours.\n# TYPE openrd_requests_total counter\n";
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t c = 0; c < classes.size(); ++c)
            if (rows[i].by_class[c] > 0) fmt::format_to(append, "openrd_requests_total{{action=\"{}\",code=\"{}\"}} {}\n", names_[i], classes[c], rows[i].by_class[c]);
    out += "# HELP openrd_request_seconds From the whole request to its answer.\n# TYPE openrd_request_seconds histogram\n";
    for (std::size_t i = 0; i < rows.size(); ++i) {
        std::uint64_t up_to = 0;
        for (const auto count : rows[i].by_time) up_to += count;
        const auto all = std::exchange(up_to, 0);
        if (all == 0) continue;
        for (std::size_t b = 0; b < bucket_us.size(); ++b) {
            up_to += rows[i].by_time[b];
            fmt::format_to(append, "openrd_request_seconds_bucket{{action=\"{}\",le=\"{}\"}} {}\n", names_[i], static_cast<double>(bucket_us[b]) / 1e6, up_to);
        }
        fmt::format_to(append, "openrd_request_seconds_bucket{{action=\"{0}\",le=\"+Inf\"}} {1}\nopenrd_request_seconds_count{{action=\"{0}\"}} {1}\n", names_[i], all);
        fmt::format_to(append, "openrd_request_seconds_sum{{action=\"{}\"}} {:.6f}\n", names_[i], static_cast<double>(rows[i].nanoseconds) / 1e9);
    }
}

}  // namespace openrd::pipeline
