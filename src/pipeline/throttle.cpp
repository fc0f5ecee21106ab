#include "pipeline/throttle.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace openrd::pipeline {

Throttle::Verdict Throttle::admit(std::string_view account_id, const api::AnyOperation& operation, std::int64_t now_ms) {
    std::string key;
    key.reserve(account_id.size() + 1 + operation.name.size());
    key.append(account_id).append(1, ' ').append(operation.name);
    const double capacity = operation.rate.calls;
    const double per_ms = capacity / (operation.rate.seconds * 1000.0);
    Shard& shard = shards_[std::hash<std::string>{}(key) % shards_.size()];
    const std::lock_guard lock(shard.mutex);
    // An account that has not called for a whole window has a full bucket: forgetting it changes nothing.
    if (shard.buckets.size() >= buckets_per_shard) std::erase_if(shard.buckets, [&](const auto& b) { return now_ms - b.second.at_ms > 60'000 || now_ms < b.second.at_ms; });
    const auto [at, is_new] = shard.buckets.try_emplace(std::move(key), Bucket{capacity, now_ms});
    Bucket& bucket = at->second;
    // A clock that was moved back leaves a bucket in the future: it starts anew.
    if (!is_new) bucket.tokens = now_ms < bucket.at_ms ? capacity : std::min(capacity, bucket.tokens + static_cast<double>(now_ms - bucket.at_ms) * per_ms);
    bucket.at_ms = now_ms;
    if (bucket.tokens < 1) return {false, static_cast<std::int64_t>(std::ceil((1 - bucket.tokens) / per_ms))};
    bucket.tokens -= 1;
    return {true, 0};
}

void Throttle::clear() {
    for (Shard& shard : shards_) {
        const std::lock_guard lock(shard.mutex);
        shard.buckets.clear();
    }
}

}  // namespace openrd::pipeline
