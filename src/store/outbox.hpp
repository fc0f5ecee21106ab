#pragma once
// Messages on their way: written in the transaction that promises them, sent by delivery/. States: verification.md 7.1. No row
// holds a code: it is derived when the message is sent.
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

inline constexpr std::string_view message_queued = "queued", message_sending = "sending", message_accepted = "accepted", message_rejected = "failed", message_unknown = "unknown",
                                  message_expired = "expired";

struct Message {
    std::string account_id;
    std::string message_id;
    std::string purpose;
    std::string verification_id;
    std::int64_t code_key_id = 0;
    std::string phone_sealed;  // keys::Purpose::outbox, associated with the message id
    std::string state = std::string(message_queued);
    std::string channel;
    std::int64_t tries = 0;
    std::int64_t not_before_ms = 0, lease_until_ms = 0, expires_at_ms = 0;
    std::string provider_ref, provider_code;
    std::int64_t created_at_ms = 0;
};

// Wakes the dispatcher when the transaction is committed.
void insert_message(db::Transaction&, const Message&);
// Takes up to `limit` messages that are due (queued, or whose lease ran out) and leases them until lease_until_ms, oldest first.
// A message that was taken before comes back with its state as it was: `sending` means that nobody knows whether it was sent.
std::vector<Message> claim_messages(db::Transaction&, std::int64_t now_ms, std::int64_t lease_until_ms, std::int64_t limit);
// What became of a message that was claimed.
void settle_message(db::Transaction&, const Message&, std::string_view state, std::int64_t now_ms);
// When the next message is due; nothing: none waits.
std::optional<std::int64_t> next_message_due_ms(db::Transaction&);
std::int64_t count_messages(db::Transaction&, std::string_view state);

}  // namespace openrd::store
