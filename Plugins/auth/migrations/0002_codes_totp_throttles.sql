-- Times are Unix milliseconds. Digests are SHA-256 in lower-case hexadecimal digits.

ALTER TABLE auth_accounts ADD COLUMN email_verified_at BIGINT;
-- The second factor; its secret is sealed elsewhere.
ALTER TABLE auth_accounts ADD COLUMN totp_enabled_at BIGINT;
-- The last step of time whose code was used: no code of it or of one before is taken again.
ALTER TABLE auth_accounts ADD COLUMN totp_step BIGINT;

ALTER TABLE auth_sessions ADD COLUMN device TEXT;
ALTER TABLE auth_sessions ADD COLUMN address TEXT;
ALTER TABLE auth_sessions ADD COLUMN last_used_at BIGINT;

CREATE INDEX auth_sessions_by_account ON auth_sessions (account_id, id);
CREATE INDEX auth_refresh_tokens_by_session ON auth_refresh_tokens (session_id);

-- One-time codes sent by mail; one of each purpose at a time.
CREATE TABLE auth_codes (
  account_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  digest TEXT NOT NULL,
  tries BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (account_id, purpose)
);

CREATE INDEX auth_codes_expiry ON auth_codes (expires_at);

-- What lets somebody in who has lost the device with the second factor; each is good once.
CREATE TABLE auth_recovery_codes (
  digest TEXT PRIMARY KEY,
  account_id TEXT NOT NULL
);

CREATE INDEX auth_recovery_codes_by_account ON auth_recovery_codes (account_id);

-- Rates of attempts: when the next one would be on time. A row whose time has come says nothing more.
CREATE TABLE auth_throttles (
  subject TEXT PRIMARY KEY,
  due_at BIGINT NOT NULL
);

CREATE INDEX auth_throttles_due ON auth_throttles (due_at);
