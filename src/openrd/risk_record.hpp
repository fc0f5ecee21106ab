#pragma once
// What a refusal by the risk probe leaves behind: the code is cancelled, and the audit log says so. And what a STOP does.
#include "db/engine.hpp"
#include "delivery/channel.hpp"
#include "keys/ring.hpp"

#include <string>

namespace openrd {

// On the dispatcher's thread, in a transaction of its own. Throws db::Error.
void record_risk_refusal(db::Engine& engine, const keys::Ring& ring, const delivery::OutgoingMessage& message, const std::string& reason, std::int64_t now_ms);

// Of a phone that nothing is to be sent to: for the dispatcher, which asks in a transaction that only reads. Empty: nothing speaks
// against it.
std::string refuse_suppressed(db::Transaction& tx, const keys::Ring& ring, const phone::MobileNumber& to, std::int64_t now_ms);

// Its owner has told the gateway of `channel` STOP: nothing is sent to it any more, by no channel, and the server's log says so.
void suppress_opted_out(db::Transaction& tx, const keys::Ring& ring, const phone::MobileNumber& to, std::string_view channel, std::int64_t now_ms);

}  // namespace openrd
