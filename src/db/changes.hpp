#pragma once
// What was committed, as the threads of an engine tell each other.
#include "db/engine.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace openrd::db {

class Changes {
  public:
    static constexpr std::uint8_t every_topic = 7;

    // A snapshot of an earlier epoch is not to be read from any more.
    std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
    void end_epoch() { epoch_.fetch_add(1, std::memory_order_acq_rel); }

    std::uint64_t generation(Topic topic) const { return generations_[index_of(topic)].load(std::memory_order_acquire); }

    // Something was committed. The epoch ends first: who sees the new generation reads from a new snapshot.
    void announce(std::uint8_t topics);

    void on_commit(Topic topic, std::function<void()> wake);
    void wake(std::uint8_t topics) const;

  private:
    struct Waiting {
        Topic topic;
        std::function<void()> wake;
    };
    using List = std::vector<Waiting>;

    static std::size_t index_of(Topic topic);

    alignas(64) std::atomic<std::uint64_t> epoch_{0};
    alignas(64) std::array<std::atomic<std::uint64_t>, 3> generations_{};
    mutable std::mutex mutex_;
    std::shared_ptr<const List> waiting_ = std::make_shared<List>();  // replaced, never changed: wake() calls without the lock
};

}  // namespace openrd::db
