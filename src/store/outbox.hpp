#pragma once
// Messages on their way: written in the transaction that promises them, sent by delivery/. States: verification.md 7.1. No row
// holds a code: it is derived when the message is sent.
//
// Several dispatchers share one outbox. What is due is read plainly; whoever takes a row changes it in one guarded statement that
// names what he has seen, so that of two one finds nothing to change. What became of it is written only by the attempt that holds it.
// Every change writes an event beside it. All statements of one row name its account.
#include "db/engine.hpp"

#include <utility>
#include <vector>

namespace openrd::store {

inline constexpr std::string_view message_queued = "queued", message_sending = "sending", message_accepted = "accepted", message_delivered = "delivered",
                                  message_undelivered = "undelivered", message_unknown = "unknown",
                                  // The end of those that nobody can say to have arrived: dead letters.
    message_rejected = "failed", message_unknown_final = "unknown_final", message_expired = "expired";
inline constexpr std::string_view message_states[] = {message_queued,  message_sending,  message_accepted,      message_delivered, message_undelivered,
                                                      message_unknown, message_rejected, message_unknown_final, message_expired};

struct Message {
    std::string account_id;
    std::string message_id;
    std::string purpose;
    std::string verification_id;
    std::int64_t code_key_id = 0;
    std::string phone_sealed;  // keys::Purpose::outbox, associated with the message id
    std::string state = std::string(message_queued);
    std::string channel;     // that has it, or is to have it; empty: not chosen yet
    std::string attempt_id;  // of the latest claim; empty: never claimed
    std::int64_t tries = 0, repeats = 0;
    // Queued: when it may be sent. Sending: the end of the lease. Unknown: when the channel is asked about it (again).
    std::int64_t not_before_ms = 0;
    std::int64_t expires_at_ms = 0;  // of the code
    std::string provider_ref, provider_code;
    std::int64_t segments = 0;
    std::int64_t created_at_ms = 0, updated_at_ms = 0;
};

// What is written about a message: the new state and why.
struct MessageChange {
    std::string state;
    std::string kind;  // of the event; empty: none
    std::string channel;
    std::int64_t not_before_ms = 0;
    std::int64_t tries = 0, repeats = 0;
    std::string provider_ref, provider_code;  // printable ASCII
    std::int64_t segments = 0;
};

// Wakes the dispatcher when the transaction is committed.
void insert_message(db::Transaction&, const Message&);

// Where a list of what is due goes on.
struct DueAfter {
    std::int64_t not_before_ms = INT64_MIN;
    std::string message_id;
};
// Queued and due, sending with the lease over, unknown and to be asked about: oldest first.
std::vector<Message> list_due_messages(db::Transaction&, std::int64_t now_ms, const DueAfter& after, std::int64_t limit);
// When the next one is due; nothing: none waits.
std::optional<std::int64_t> next_message_due_ms(db::Transaction&);

// Takes a message, as it was seen, for an attempt by that channel: `sending` (with one try more) when it was queued; an unknown one
// stays unknown while it is asked about. False: somebody else was faster.
bool claim_message(db::Transaction&, const Message& seen, std::string_view attempt_id, std::string_view channel, std::int64_t lease_until_ms, std::int64_t now_ms);
// Changes a message that nobody holds, as it was seen. False: somebody else was faster.
bool change_message(db::Transaction&, const Message& seen, const MessageChange&, std::int64_t now_ms);
// What became of an attempt; the state that the row has now: a receipt may have come before. Nothing: it is not this attempt's any more.
std::optional<std::string> settle_message(db::Transaction&, const Message& claimed, const MessageChange&, std::int64_t now_ms);

// What a gateway says after it has taken a message over: accepted, delivered or undelivered. It never goes back, and it concerns only
// a message of that channel. `before`: the state; nothing changed when it is the same as `after`.
struct ReceiptEffect {
    std::string before, after;
    Message message;
};
// Nothing: there is no such message of that channel.
std::optional<ReceiptEffect> receive_receipt(db::Transaction&, std::string_view account_id, std::string_view message_id, std::string_view channel, std::string_view says,
                                             std::string_view provider_code, std::int64_t now_ms);

// How many messages there are in each state.
std::vector<std::pair<std::string, std::int64_t>> count_messages_by_state(db::Transaction&);
std::int64_t count_messages(db::Transaction&, std::string_view state);

}  // namespace openrd::store
