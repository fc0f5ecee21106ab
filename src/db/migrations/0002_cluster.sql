-- What several servers on one database need: an order of the audit log that is given after the commit, nonces that are taken once
-- across servers, leases for what only one server does at a time.

-- `turn` orders the entries of one millisecond; `arrival`, the place in the whole log, is absent until the entry is numbered: the
-- one writer of a file numbers at once, the servers of a shared database let the holder of the lease do it (store/audit_events.cpp).
CREATE TABLE audit_entries (
  account_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  turn BIGINT NOT NULL,
  arrival BIGINT,
  event_id TEXT NOT NULL,
  service_name TEXT NOT NULL,
  event_name TEXT NOT NULL,
  event_rw TEXT NOT NULL,
  user_name TEXT NOT NULL,
  access_key_id TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_name TEXT NOT NULL,
  nonce_hash BLOB,
  nonce_until_ms BIGINT,
  body TEXT NOT NULL,
  PRIMARY KEY (account_id, at_ms, turn)
);
INSERT INTO audit_entries (account_id, at_ms, turn, arrival, event_id, service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name, nonce_hash, nonce_until_ms, body)
  SELECT account_id, at_ms, arrival, arrival, event_id, service_name, event_name, event_rw, user_name, access_key_id, resource_type, resource_name, nonce_hash, nonce_until_ms, body FROM audit_events;
DROP TABLE audit_events;
ALTER TABLE audit_entries RENAME TO audit_events;
CREATE INDEX audit_events_by_arrival ON audit_events (arrival);
CREATE INDEX audit_events_not_numbered ON audit_events (at_ms, turn) WHERE arrival IS NULL;

-- Nonces of writes on a shared database: whoever inserts the row first has it.
CREATE TABLE nonces (
  account_id TEXT NOT NULL,
  nonce_hash BLOB NOT NULL,
  request_id TEXT NOT NULL,
  until_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, nonce_hash)
) /*clustered*/;
CREATE INDEX nonces_by_end ON nonces (until_ms);

-- `beat` grows while the holder lives; `place` is how far it has come. No clock is compared with another one.
CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  beat BIGINT NOT NULL,
  place BIGINT NOT NULL
) /*clustered*/;

-- The oldest schema that an openrd must know to work with this one: see db/migrate.hpp.
CREATE TABLE schema_compatibility (
  works_from BIGINT NOT NULL
);
INSERT INTO schema_compatibility (works_from) VALUES (2);
