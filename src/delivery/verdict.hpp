#pragma once
// What is made of what a channel says: the state machine of verification.md 7.1, without a clock, a database or a channel.
#include "base/clock.hpp"
#include "delivery/channel.hpp"
#include "store/outbox.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::delivery {

inline constexpr std::int64_t lease_ms = 30 * base::second_ms;
// A message is sent up to this long before its code expires: it has to arrive and be typed in.
inline constexpr std::int64_t useful_ms = 60 * base::second_ms;

inline std::int64_t deadline_ms(const store::Message& message) { return message.expires_at_ms - useful_ms; }

struct Circumstances {
    std::int64_t now_ms = 0;
    bool repeatable = false;     // the channel that was used
    std::string_view next = {};  // the channel after it; empty: there is no other
    double jitter = 0;           // 0 to 1: so that what failed together does not come back together
};

// `claimed` as it was claimed: state `sending`, its channel, and this try counted.
store::MessageChange after_send(const store::Message& claimed, const SendResult& result, const Circumstances& c);
// `claimed`: an unknown one that the channel was asked about. Nothing: it does not know (yet).
store::MessageChange after_question(const store::Message& claimed, const std::optional<SendResult>& answer, const Circumstances& c);
// Nobody holds it any more, and nobody knows how far its worker came.
store::MessageChange after_lost_lease(const store::Message& seen, const Circumstances& c);
// Not begun: as it was before it was claimed.
store::MessageChange given_back(const store::Message& claimed, std::int64_t now_ms);
// Of a queued message that nobody will send.
store::MessageChange ended(const store::Message& seen, std::string_view state, std::string_view why);

// Fits a row and a log: printable ASCII, `most` bytes.
std::string printable(std::string_view text, std::size_t most);

std::string_view name_of(Sent outcome);
bool is_dead(std::string_view state);

}  // namespace openrd::delivery
