-- The Idempotency-Key of the request that made an app, as SHA-256 in lower-case hexadecimal digits.
CREATE TABLE control_app_requests (
  app_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  request_key TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX control_app_requests_key ON control_app_requests (account_id, request_key);
CREATE INDEX control_app_requests_made ON control_app_requests (created_at);
