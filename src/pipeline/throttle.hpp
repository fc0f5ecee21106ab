#pragma once
// The request rates of the declarations, counted per account and operation (decisions.md J).
#include "api/operation.hpp"

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace openrd::pipeline {

class Throttle {
  public:
    // Whether the account may call the operation once more now; otherwise after how many milliseconds it may.
    // A window holds rate.calls per rate.seconds; it refills evenly (a token bucket), so that a burst of a whole window passes.
    struct Verdict {
        bool admitted;
        std::int64_t wait_ms;
    };
    Verdict admit(std::string_view account_id, const api::AnyOperation& operation, std::int64_t now_ms);
    void clear();

  private:
    struct Bucket {
        double tokens = 0;
        std::int64_t at_ms = 0;
    };
    struct Shard {
        std::mutex mutex;
        std::unordered_map<std::string, Bucket> buckets;
    };
    static constexpr std::size_t buckets_per_shard = 65'536;
    std::array<Shard, 16> shards_;
};

}  // namespace openrd::pipeline
