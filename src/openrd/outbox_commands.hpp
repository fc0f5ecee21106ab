#pragma once
// `openrd outbox ...`: what became of messages, for an operator, beside a running server or without one. Numbers are masked, and no
// code is ever shown. A message's id is the one by which gateways know it: ACCOUNT-MESSAGE.
#include "openrd/data.hpp"

#include <cstdint>
#include <string>

namespace openrd {

struct OutboxOptions {
    DataPlace place;
    bool dead = false;
    std::string state;  // empty: any
    std::int64_t limit = 100;
    std::string format = "json";  // or "text"
    std::string id;               // show, retry
};

// Each returns 0. Failure with status 1: there is no such message, or it may not be sent again; 2: the database cannot be used.
int list_outbox(const OutboxOptions&);   // newest first; JSON: an object on each line
int show_message(const OutboxOptions&);  // with its events
// Queues a dead letter anew, when its code can still be redeemed; recorded in the audit log.
int retry_outbox_message(const OutboxOptions&);

}  // namespace openrd
