#pragma once
// The rows of the audit log. Appended in the transaction of what they record; never changed. audit/ seals and exports them.
#include "db/engine.hpp"

#include <utility>
#include <vector>

namespace openrd::store {

struct AuditEvent {
    std::string account_id;  // whose log it stands in
    std::int64_t at_ms = 0;
    std::int64_t turn = 0;     // orders the entries of a millisecond
    std::int64_t arrival = 0;  // its place in the whole log, from 1; 0: not numbered yet
    std::string event_id;
    std::string service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name;
    std::string body;  // one JSON object on one line: what is hashed, exported and verified
};

// Of a write's nonce: what a restarted server must remember.
struct UsedNonce {
    std::string hash;
    std::int64_t until_ms = 0;
};

// Appends. A file numbers it at once; on a shared database number_audit_events() does, after its commit. The nonce may be absent.
void append_audit_event(db::Transaction&, AuditEvent&, const std::optional<UsedNonce>& nonce);

// One attribute of a lookup, by the vendor's name: ServiceName, EventName, User, EventId, ResourceType, ResourceName, EventRW,
// EventAccessKeyId.
struct EventFilter {
    std::string key, value;
};
struct EventPlace {
    std::int64_t at_ms = 0, turn = 0;
};
struct EventQuery {
    std::string account_id;
    std::int64_t from_ms = 0, to_ms = 0;  // both included
    std::vector<EventFilter> filters;     // at most two, all hold
    bool newest_first = true;
    std::optional<EventPlace> beyond;  // goes on after this one
    std::int64_t limit = 20;
};
std::vector<AuditEvent> list_audit_events(db::Transaction&, const EventQuery&);

// On a shared database: gives the entries that have none yet their arrivals, from after + 1, at most `limit`. Returns how many. Only for who holds the
// sealer's lease, in the transaction that moves its place (store/leases.hpp).
std::int64_t number_audit_events(db::Transaction&, std::int64_t after, std::int64_t limit);
bool has_events_to_number(db::Transaction&);
std::int64_t count_audit_events(db::Transaction&);

// In order of arrival, after `arrival`: for the sealer and the export.
std::vector<AuditEvent> audit_events_after(db::Transaction&, std::int64_t arrival, std::int64_t limit);
std::int64_t last_arrival(db::Transaction&);
// Nonces of writes whose time is not over, newest first; stops at rows older than since_ms.
std::vector<UsedNonce> used_nonces(db::Transaction&, std::int64_t since_ms, std::int64_t now_ms);

struct Checkpoint {
    std::int64_t tree_size = 0;
    std::string root;      // 32 bytes
    std::string frontier;  // the hashes of the compact range, 32 bytes each
    std::string note;      // the signed note
    std::int64_t created_at_ms = 0;
};
std::optional<Checkpoint> last_checkpoint(db::Transaction&);
void insert_checkpoint(db::Transaction&, const Checkpoint&);
std::vector<Checkpoint> list_checkpoints(db::Transaction&, std::int64_t after_size, std::int64_t limit);

}  // namespace openrd::store
