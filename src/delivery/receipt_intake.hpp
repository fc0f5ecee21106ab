#pragma once
// Takes the gateways' receipts. They are advisory: a row of the outbox learns from them, a verification never. Whoever cannot prove
// to be the gateway is told nothing (threat 14), and a flood of either kind is bounded.
#include "base/clock.hpp"
#include "db/engine.hpp"
#include "delivery/channel.hpp"
#include "delivery/counters.hpp"
#include "delivery/router.hpp"
#include "keys/ring.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace openrd::delivery {

class ReceiptIntake {
  public:
    enum class Answer : std::uint8_t {
        taken,    // written down, or nothing new
        none,     // there is nothing here: not authentic, or no such channel
        not_now,  // the gateway may try again: too many at once, or the database cannot be written
    };
    using Done = std::function<void(Answer)>;

    static constexpr std::size_t most_bytes = 64 * 1024;  // of a request's target and body together
    static constexpr std::size_t most_at_once = 64;       // requests whose receipts are being written
    static constexpr std::size_t most_receipts = 1'000;   // of one request

    // All of them outlive what the intake has begun; counters may be left out.
    ReceiptIntake(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, const Router& router, Counters* counters = nullptr);

    // Whether a request is for here.
    static bool concerns(std::string_view target);
    // `done` is called once, perhaps on a thread of the engine. What `request` refers to must live until take() returns.
    void take(const ReceiptRequest& request, Done done);

  private:
    struct Batch;
    std::vector<Receipt> authentic(const ReceiptRequest& request, const Channel& channel) const;
    const Channel* channel_of(std::string_view target) const;
    void tell(const Batch& batch) const;

    db::Engine& engine_;
    const keys::Ring& ring_;
    const base::Clock& clock_;
    const Router& router_;
    Counters* const counters_;
    const std::shared_ptr<std::atomic<std::size_t>> under_way_ = std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace openrd::delivery
