-- Others who send events to the app: what they sign with, sealed, and what they signed with before.
CREATE TABLE webhooks_sources (
  name TEXT PRIMARY KEY,
  -- standard, stripe, github
  kind TEXT NOT NULL,
  secret BLOB NOT NULL,
  previous BLOB,
  previous_until BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- What has come, so that nothing is taken twice.
CREATE TABLE webhooks_received (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (source, id)
);
CREATE INDEX webhooks_received_at ON webhooks_received (at);
