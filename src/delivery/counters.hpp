#pragma once
// How the messages of this process fared, by channel, country (calling code; "email") and outcome. No number, no account.
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace openrd::delivery {

// From the Send to the phone, as the gateways' receipts tell it; the last bucket is everything.
inline constexpr std::array<std::int64_t, 9> delivery_seconds{1, 2, 5, 10, 20, 30, 60, 120, 300};

struct DeliveryTimes {
    std::array<std::int64_t, delivery_seconds.size()> at_most{};  // each includes those before it
    std::int64_t count = 0, sum_ms = 0;
};
struct Conversion {
    std::int64_t sent = 0, redeemed = 0;  // messages whose code's life is over, and those of them whose code was redeemed
};

// May be used from many threads.
class Counters {
  public:
    using Place = std::pair<std::string, std::string>;                   // channel, country
    using Labelled = std::tuple<std::string, std::string, std::string>;  // channel, country, outcome or state

    struct Snapshot {
        std::map<Labelled, std::int64_t> tries;     // by what the channel said: accepted, rejected, not_sent, throttled, unknown, channel_down
        std::map<Labelled, std::int64_t> messages;  // by the state that they came to
        std::map<Place, DeliveryTimes> times;
        std::map<Place, Conversion> conversions;
    };

    void tried(std::string_view channel, std::string_view country, std::string_view outcome);
    void became(std::string_view channel, std::string_view country, std::string_view state);
    void delivered(std::string_view channel, std::string_view country, std::int64_t took_ms);
    void judged(std::string_view channel, std::string_view country, bool redeemed);

    Snapshot snapshot() const;

  private:
    mutable std::mutex mutex_;
    Snapshot counts_;
};

// In the text format of Prometheus, lines that end with LF.
void append_prometheus(std::string& out, const Counters::Snapshot& counts);

}  // namespace openrd::delivery
