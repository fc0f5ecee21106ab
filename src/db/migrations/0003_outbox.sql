-- The outbox as the whole state machine (verification.md 7.1): a row says what is known of its message, outbox_events how it came to
-- that.

-- Who holds the row: of the latest claim.
ALTER TABLE outbox ADD COLUMN attempt_id TEXT NOT NULL DEFAULT '';
-- How often it was queued again because the gateway said, asked about an unknown outcome, that it had never come.
ALTER TABLE outbox ADD COLUMN repeats BIGINT NOT NULL DEFAULT 0;
-- What a receipt said before the gateway's own answer was written down.
ALTER TABLE outbox ADD COLUMN receipt TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN segments BIGINT NOT NULL DEFAULT 0;
-- Of outbox_events.
ALTER TABLE outbox ADD COLUMN events BIGINT NOT NULL DEFAULT 0;
-- Whether its code was redeemed: looked up once, when the code's life is over.
ALTER TABLE outbox ADD COLUMN redeemed BIGINT;

-- A claimed row's not_before_ms is the end of its lease: what is due stands in one index.
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (not_before_ms, message_id) WHERE state IN ('queued', 'sending', 'unknown');
CREATE INDEX outbox_dead ON outbox (created_at_ms, message_id) WHERE state IN ('failed', 'unknown_final', 'expired');
CREATE INDEX outbox_by_expiry ON outbox (expires_at_ms, message_id);

CREATE TABLE outbox_events (
  account_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  n BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  code TEXT NOT NULL,
  attempt_id TEXT NOT NULL,
  PRIMARY KEY (account_id, message_id, n)
) /*clustered*/;

-- An older openrd would not see who holds a row.
UPDATE schema_compatibility SET works_from = 3;
