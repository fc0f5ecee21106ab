#pragma once
// One try with one message: opens the number, derives the code, asks the channel. What it throws is an outcome, too.
#include "base/clock.hpp"
#include "delivery/channel.hpp"
#include "keys/ring.hpp"
#include "store/outbox.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace openrd::delivery {

// Where a message goes: a number, or an e-mail address when the number is empty.
struct Destination {
    phone::MobileNumber number;
    base::Secret email;

    // For metrics and routes: the calling code, or "email".
    std::string country() const { return number.empty() ? "email" : std::string(number.calling_code()); }
};
// Nothing: sealed with another key, or neither a number nor an address.
std::optional<Destination> destination_of(const keys::Ring& ring, const store::Message& message);

// The id by which channels and gateways know a message: account id and message id, which together are its key in the outbox.
std::string outgoing_id(const store::Message& message);
struct MessageKey {
    std::string account_id, message_id;
};
std::optional<MessageKey> key_of_outgoing_id(std::string_view id);

SendResult send_once(const keys::Ring& ring, const store::Message& message, const Destination& to, Channel& channel, std::int64_t now_ms, const std::stop_token& stop);
// Nothing unless the channel is certain.
std::optional<SendResult> ask(const store::Message& message, const Destination& to, Channel& channel);

}  // namespace openrd::delivery
