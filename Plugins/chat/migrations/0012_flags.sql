-- What somebody has found wrong with a message.
CREATE TABLE chat_flags (
  id TEXT NOT NULL PRIMARY KEY,
  message TEXT NOT NULL,
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  -- Who has sent the message.
  author TEXT NOT NULL,
  -- '' for the app's blocklists.
  flagged_by TEXT NOT NULL,
  reason TEXT,
  created_at BIGINT NOT NULL,
  -- NULL while nobody has settled it.
  resolved_at BIGINT,
  -- NULL too when the app's server has.
  resolved_by TEXT,
  action TEXT
);

CREATE UNIQUE INDEX chat_flags_of_message ON chat_flags (message, flagged_by);
CREATE INDEX chat_flags_by_channel ON chat_flags (type, channel, id);
CREATE INDEX chat_flags_open ON chat_flags (id) WHERE resolved_at IS NULL;
