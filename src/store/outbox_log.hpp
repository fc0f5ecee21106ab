#pragma once
// The outbox as its operator sees it, and what becomes of old rows.
#include "store/outbox.hpp"

namespace openrd::store {

struct MessageEvent {
    std::int64_t n = 0, at_ms = 0;
    std::string kind, channel, code, attempt_id;
};

struct MessageFilter {
    bool dead = false;  // failed, unknown_final and expired only
    std::string state;  // empty: any
};
// Newest first.
std::vector<Message> list_messages(db::Transaction&, const MessageFilter&, std::int64_t limit);
std::optional<Message> find_message(db::Transaction&, std::string_view account_id, std::string_view message_id);
// For somebody who has only the message's id: looks through the whole outbox.
std::optional<Message> search_message(db::Transaction&, std::string_view message_id);
// Oldest first.
std::vector<MessageEvent> list_message_events(db::Transaction&, std::string_view account_id, std::string_view message_id);
// Failed, unknown_final and expired, written after since_ms.
std::int64_t count_dead_messages(db::Transaction&, std::int64_t since_ms);
// Queues a dead letter anew, as it was seen, as if nothing had been tried. False: it is none any more.
bool retry_message(db::Transaction&, const Message& seen, std::int64_t now_ms);

// When the code's life of the oldest one ended, or will end.
std::optional<std::int64_t> oldest_message_end_ms(db::Transaction&);
// Takes away up to `limit` messages whose codes ended before that, with their events. How many there were.
std::int64_t delete_old_messages(db::Transaction&, std::int64_t ended_before_ms, std::int64_t limit);

// Messages that were sent and whose code's life ended in (from_ms, to_ms], of which nobody has looked up yet whether it was redeemed.
std::vector<Message> list_unjudged_messages(db::Transaction&, std::int64_t from_ms, std::int64_t to_ms, std::int64_t limit);
// Looks it up and keeps it in the row, once: nothing when somebody else did.
std::optional<bool> judge_message(db::Transaction&, const Message&);

}  // namespace openrd::store
