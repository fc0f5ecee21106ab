-- The first schema. Rules: house.md 5. Times are milliseconds since 1970 from the application's clock. Every directory table's key
-- begins with directory_id and every account-owned table's with account_id, so that the schema distributes unchanged.
-- /*clustered*/ keeps a table's rows in its primary key where the engine has such tables.

-- What this database is: who made it, whose key file is its own, the log's origin.
CREATE TABLE facts (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) /*clustered*/;

-- Every account that is known here, in a directory or not. Calls arrive with an account, so its key is the account alone.
CREATE TABLE accounts (
  account_id TEXT NOT NULL PRIMARY KEY,
  account_name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  email TEXT NOT NULL,
  site TEXT NOT NULL,
  standing TEXT NOT NULL,
  directory_id TEXT,
  enterprise_name TEXT NOT NULL,
  enterprise_state TEXT NOT NULL,
  root_enabled BIGINT NOT NULL,
  phone_sealed BLOB,
  created_at_ms BIGINT NOT NULL
) /*clustered*/;

CREATE TABLE directories (
  directory_id TEXT NOT NULL PRIMARY KEY,
  management_account_id TEXT NOT NULL,
  root_folder_id TEXT NOT NULL,
  control_policy_status TEXT NOT NULL,
  member_deletion_status TEXT NOT NULL,
  display_name_sync_status TEXT NOT NULL,
  member_count BIGINT NOT NULL,
  folder_count BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL
) /*clustered*/;

CREATE TABLE folders (
  directory_id TEXT NOT NULL,
  folder_id TEXT NOT NULL,
  parent_folder_id TEXT,
  folder_name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  depth BIGINT NOT NULL,
  path TEXT NOT NULL,
  subfolder_count BIGINT NOT NULL,
  member_count BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (directory_id, folder_id)
) /*clustered*/;
CREATE UNIQUE INDEX folders_by_name ON folders (directory_id, parent_folder_id, folder_name);

-- The members of a directory. The bound phone stands in the row: binding writes one page.
CREATE TABLE members (
  directory_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  folder_id TEXT NOT NULL,
  account_name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  join_method TEXT NOT NULL,
  joined_at_ms BIGINT NOT NULL,
  modified_at_ms BIGINT NOT NULL,
  payer_account_id TEXT NOT NULL,
  resell_account_type TEXT NOT NULL,
  deletion_status TEXT,
  email_status TEXT,
  phone_index BLOB,
  phone_sealed BLOB,
  phone_bound_at_ms BIGINT,
  phone_bound_by TEXT,
  phone_verification_id BLOB,
  PRIMARY KEY (directory_id, account_id)
) /*clustered*/;
CREATE UNIQUE INDEX members_by_display_name ON members (directory_id, display_name);
CREATE UNIQUE INDEX members_by_account_name ON members (directory_id, account_name);
CREATE INDEX members_of_folder ON members (directory_id, folder_id, account_id);

CREATE TABLE tags (
  directory_id TEXT NOT NULL,
  resource_type TEXT NOT NULL,
  resource_id TEXT NOT NULL,
  tag_key TEXT NOT NULL,
  tag_value TEXT NOT NULL,
  PRIMARY KEY (directory_id, resource_type, resource_id, tag_key)
) /*clustered*/;
CREATE INDEX tags_by_value ON tags (directory_id, resource_type, tag_key, tag_value, resource_id);

-- Identities.
CREATE TABLE users (
  account_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  user_name TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, user_id)
) /*clustered*/;
CREATE UNIQUE INDEX users_by_name ON users (account_id, user_name);

CREATE TABLE roles (
  account_id TEXT NOT NULL,
  role_id TEXT NOT NULL,
  role_name TEXT NOT NULL,
  folded_name TEXT NOT NULL,
  trust_policy TEXT NOT NULL,
  description TEXT NOT NULL,
  max_session_seconds BIGINT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, role_id)
) /*clustered*/;
CREATE UNIQUE INDEX roles_by_name ON roles (account_id, folded_name);

-- A call brings an AccessKey id and nothing else: its key is the id. user_id is empty for the root of the account.
CREATE TABLE access_keys (
  access_key_id TEXT NOT NULL PRIMARY KEY,
  account_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  secret_sealed BLOB NOT NULL,
  status TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL
) /*clustered*/;
CREATE INDEX access_keys_of_account ON access_keys (account_id, user_id);

CREATE TABLE policies (
  account_id TEXT NOT NULL,
  policy_name TEXT NOT NULL,
  document TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, policy_name)
) /*clustered*/;

CREATE TABLE policy_attachments (
  account_id TEXT NOT NULL,
  principal_kind TEXT NOT NULL,
  principal_id TEXT NOT NULL,
  policy_type TEXT NOT NULL,
  policy_name TEXT NOT NULL,
  attached_at_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, principal_kind, principal_id, policy_type, policy_name)
) /*clustered*/;

-- The one verification of an account and purpose, with the guard that outlives it: no code is kept, it is derived.
CREATE TABLE verifications (
  account_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  directory_id TEXT NOT NULL,
  verification_id BLOB NOT NULL,
  code_key_id BIGINT NOT NULL,
  phone_index BLOB NOT NULL,
  phone_sealed BLOB NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  max_attempts BIGINT NOT NULL,
  sends BIGINT NOT NULL,
  last_sent_at_ms BIGINT NOT NULL,
  created_by TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  consumed_at_ms BIGINT,
  day BIGINT NOT NULL,
  sends_of_day BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  locked_until_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, purpose)
) /*clustered*/;

-- Counters of the strict profile: a bucket in a window that begins at window_ms.
CREATE TABLE rates (
  bucket TEXT NOT NULL,
  window_ms BIGINT NOT NULL,
  n BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  PRIMARY KEY (bucket, window_ms)
) /*clustered*/;
CREATE INDEX rates_by_expiry ON rates (expires_at_ms);

-- How many accounts use a phone, by its blind index.
CREATE TABLE phone_uses (
  phone_index BLOB NOT NULL PRIMARY KEY,
  n BIGINT NOT NULL
) /*clustered*/;

-- Messages to be sent. The code is derived when a message is sent: no row holds it.
CREATE TABLE outbox (
  account_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  verification_id BLOB NOT NULL,
  code_key_id BIGINT NOT NULL,
  phone_sealed BLOB NOT NULL,
  state TEXT NOT NULL,
  channel TEXT NOT NULL,
  tries BIGINT NOT NULL,
  not_before_ms BIGINT NOT NULL,
  lease_until_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  provider_ref TEXT NOT NULL,
  provider_code TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL,
  updated_at_ms BIGINT NOT NULL,
  PRIMARY KEY (account_id, message_id)
) /*clustered*/;
CREATE INDEX outbox_due ON outbox (not_before_ms, message_id) WHERE state IN ('queued', 'sending');

-- Under whose key a person's data stand in the audit log: without the key they are unreadable, and the log still verifies.
CREATE TABLE subjects (
  account_id TEXT NOT NULL,
  phone_index BLOB NOT NULL,
  subject_ref TEXT NOT NULL,
  key_sealed BLOB,
  created_at_ms BIGINT NOT NULL,
  destroyed_at_ms BIGINT,
  PRIMARY KEY (account_id, phone_index)
) /*clustered*/;
CREATE UNIQUE INDEX subjects_by_ref ON subjects (account_id, subject_ref);

-- The log. `arrival` is its order; `body` is the entry as it is hashed, exported and verified. The other columns are for looking up.
CREATE TABLE audit_events (
  account_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  arrival BIGINT NOT NULL,
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
  PRIMARY KEY (account_id, at_ms, arrival)
);
CREATE INDEX audit_events_by_arrival ON audit_events (arrival);

-- Signed heads of the log's tree; frontier is the compact range at that size.
CREATE TABLE checkpoints (
  tree_size BIGINT NOT NULL PRIMARY KEY,
  root BLOB NOT NULL,
  frontier BLOB NOT NULL,
  note TEXT NOT NULL,
  created_at_ms BIGINT NOT NULL
);
