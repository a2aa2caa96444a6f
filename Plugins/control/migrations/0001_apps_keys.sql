-- Times are Unix milliseconds. `state` is creating, ready or deleting; clients see what is ready.

CREATE TABLE control_apps (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  name TEXT NOT NULL,
  plan TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE INDEX control_apps_owner ON control_apps (account_id, id);
CREATE INDEX control_apps_unfinished ON control_apps (state, updated_at);

-- The secret half of a key is kept nowhere: the host has its digest.
CREATE TABLE control_keys (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  name TEXT NOT NULL,
  key TEXT NOT NULL,
  -- A JSON array of texts.
  scopes TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT
);

CREATE INDEX control_keys_app ON control_keys (app_id, id);
