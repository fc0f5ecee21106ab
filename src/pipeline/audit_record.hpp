#pragma once
// What the audit log says of a call: the vendor's event (protocol.md I.1) in one line of JSON, secrets as ***, a phone only as
// subject_ref and pii (verification.md 9).
#include "pipeline/exchange.hpp"
#include "store/audit_events.hpp"

namespace openrd::pipeline {

// Of an authenticated call, with its outcome. Makes the key of a new subject inside the transaction.
store::AuditEvent audit_event(const Exchange&, db::Transaction&, const keys::Ring&);

// Of refusals that are counted: one record for a key, a code and a minute.
struct CountedRefusals {
    std::shared_ptr<const Identity> identity;
    const api::AnyOperation* operation = nullptr;  // of the first one
    api::Version version = api::master_2022;
    std::string source_address;
    std::string code, message;
    std::int64_t minute_ms = 0;
    std::int64_t count = 0;
};
store::AuditEvent audit_event(const CountedRefusals&);

}  // namespace openrd::pipeline
