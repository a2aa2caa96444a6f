-- Times are Unix milliseconds.

-- One row. `revision` grows with every change of an endpoint: whoever queues an event for the endpoints that it knows asks in the same batch
-- whether they are still those. The others say which shard delivers, and until when nobody else does.
CREATE TABLE webhooks_state (
  id BIGINT PRIMARY KEY,
  revision BIGINT NOT NULL,
  holder TEXT,
  -- The process that the holder lives in: with another one it has ended.
  process TEXT,
  held_until BIGINT NOT NULL
);
INSERT INTO webhooks_state (id, revision, held_until) VALUES (1, 0, 0);

CREATE TABLE webhooks_endpoints (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  -- JSON arrays of patterns; NULL is every channel, and events without one.
  events TEXT NOT NULL,
  channels TEXT,
  -- A JSON object, sealed; NULL where there are none.
  headers BLOB,
  -- Attempts a second; NULL is as many as there are.
  rate_limit BIGINT,
  -- full, thin
  payload TEXT NOT NULL,
  ordered BIGINT NOT NULL,
  -- v1, v1a
  signing TEXT NOT NULL,
  -- enabled, disabled, deleted
  state TEXT NOT NULL,
  -- Why it is disabled: user, gone, failing.
  reason TEXT,
  -- Since when every attempt has failed, and when somebody was told.
  failing_since BIGINT,
  told_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE webhooks_secrets (
  id TEXT PRIMARY KEY,
  endpoint TEXT NOT NULL,
  -- The key, sealed.
  content BLOB NOT NULL,
  -- v1, v1a
  kind TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- Of one that was rotated out; NULL is the present one.
  expires_at BIGINT
);
CREATE INDEX webhooks_secrets_endpoint ON webhooks_secrets (endpoint);

-- Events that some endpoint wants.
CREATE TABLE webhooks_messages (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  channel TEXT,
  -- Among the tenant's events.
  sequence BIGINT NOT NULL,
  at BIGINT NOT NULL,
  data TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX webhooks_messages_created ON webhooks_messages (created_at, id);

CREATE TABLE webhooks_deliveries (
  id TEXT PRIMARY KEY,
  message TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  -- pending: due at next_at. waiting: behind another of its key. succeeded, failed: ended. missed: it came while the endpoint was disabled.
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  -- Of these, those before the schedule began anew.
  attempts_before BIGINT NOT NULL,
  -- Of one that has ended: its created_at, so that a range of time is a range of the index.
  next_at BIGINT NOT NULL,
  -- Those of one key go in the order of their sequences, one behind the other.
  ordering_key TEXT,
  sequence BIGINT NOT NULL,
  -- What the last attempt came to.
  status BIGINT,
  error TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);
CREATE UNIQUE INDEX webhooks_deliveries_message ON webhooks_deliveries (message, endpoint);
CREATE INDEX webhooks_deliveries_due ON webhooks_deliveries (endpoint, state, next_at, id);
CREATE INDEX webhooks_deliveries_listed ON webhooks_deliveries (endpoint, id);
CREATE INDEX webhooks_deliveries_ordered ON webhooks_deliveries (endpoint, ordering_key, state, sequence)
  WHERE ordering_key IS NOT NULL;
CREATE INDEX webhooks_deliveries_ended ON webhooks_deliveries (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE webhooks_attempts (
  delivery TEXT NOT NULL,
  number BIGINT NOT NULL,
  at BIGINT NOT NULL,
  elapsed_ms BIGINT NOT NULL,
  url TEXT NOT NULL,
  status BIGINT,
  -- Why there is no status, or why it is a failure.
  error TEXT,
  -- JSON objects of strings.
  request_headers TEXT NOT NULL,
  response_headers TEXT,
  response_body BLOB,
  PRIMARY KEY (delivery, number)
);

-- What came of attempts, by the hour.
CREATE TABLE webhooks_hours (
  endpoint TEXT NOT NULL,
  hour BIGINT NOT NULL,
  succeeded BIGINT NOT NULL,
  failed BIGINT NOT NULL,
  elapsed_ms BIGINT NOT NULL,
  PRIMARY KEY (endpoint, hour)
);

-- What somebody asked to be sent again, gone through a slice at a time.
CREATE TABLE webhooks_replays (
  id TEXT PRIMARY KEY,
  endpoint TEXT NOT NULL,
  -- replay, recover
  kind TEXT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  position_at BIGINT NOT NULL,
  position_id TEXT NOT NULL,
  queued BIGINT NOT NULL,
  batches BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT
);
CREATE INDEX webhooks_replays_open ON webhooks_replays (finished_at, created_at);

-- E-mails that are to go out.
CREATE TABLE webhooks_letters (
  id TEXT PRIMARY KEY,
  endpoint TEXT NOT NULL,
  -- failing, disabled
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
