-- Times are Unix milliseconds. Digests are SHA-256 in lower-case hexadecimal digits.

-- Developers, on the tenant `platform`.
CREATE TABLE auth_accounts (
  id TEXT PRIMARY KEY,
  email TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  password TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE auth_sessions (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT
);

CREATE INDEX auth_sessions_expiry ON auth_sessions (expires_at);

-- A used token stays until it expires, so that using it again is noticed.
CREATE TABLE auth_refresh_tokens (
  digest TEXT PRIMARY KEY,
  session_id TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at BIGINT
);

CREATE INDEX auth_refresh_tokens_expiry ON auth_refresh_tokens (expires_at);

-- End users, on an app's tenant.
CREATE TABLE auth_users (
  id TEXT PRIMARY KEY,
  name TEXT,
  image TEXT,
  custom TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
