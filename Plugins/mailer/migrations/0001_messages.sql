-- Times are Unix milliseconds.

CREATE TABLE mailer_messages (
  id TEXT PRIMARY KEY,
  recipient TEXT NOT NULL,
  category TEXT NOT NULL,
  -- The whole message, sealed; NULL once it has been sent or given up.
  content BLOB,
  -- queued, sent, failed
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  -- When it is to be tried next. While it is being tried: when another may take it over.
  next_at BIGINT NOT NULL,
  -- What the last attempt that failed ended with.
  reason TEXT,
  created_at BIGINT NOT NULL,
  ended_at BIGINT
);

CREATE INDEX mailer_messages_due ON mailer_messages (state, next_at);
CREATE INDEX mailer_messages_ended ON mailer_messages (ended_at);
