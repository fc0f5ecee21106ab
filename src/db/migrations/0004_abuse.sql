-- What keeps the sending of codes from being abused (verification.md 3, docs/decisions/0027). Numbers stand here as blind indexes only.

-- Phones that are sent nothing: their owner said STOP, the number does not exist, or the operator decided so. No until_ms: for good.
CREATE TABLE suppressions (
  phone_index BLOB NOT NULL PRIMARY KEY,
  reason TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  until_ms BIGINT
) /*clustered*/;

-- What the operator allows one directory instead of what the settings allow each; nothing where the settings hold; -1: no limit.
CREATE TABLE directory_limits (
  directory_id TEXT NOT NULL PRIMARY KEY,
  sends_per_hour BIGINT,
  sends_per_day BIGINT,
  wrong_per_day BIGINT,
  changed_at_ms BIGINT NOT NULL
) /*clustered*/;

-- The latest codes of a country, and whether each was redeemed: by these its brake is put on.
CREATE TABLE code_samples (
  calling_code TEXT NOT NULL,
  verification_id BLOB NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  redeemed BIGINT NOT NULL,
  PRIMARY KEY (calling_code, verification_id)
) /*clustered*/;
CREATE INDEX code_samples_by_time ON code_samples (calling_code, expires_at_ms);

-- Countries that are sent nothing until paused_until_ms. What ended before counted_from_ms does not count any more.
CREATE TABLE country_brakes (
  calling_code TEXT NOT NULL PRIMARY KEY,
  paused_until_ms BIGINT NOT NULL,
  counted_from_ms BIGINT NOT NULL
) /*clustered*/;
