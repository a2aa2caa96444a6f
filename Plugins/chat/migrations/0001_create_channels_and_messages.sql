CREATE TABLE chat_channels (
  type TEXT NOT NULL,
  id TEXT NOT NULL,
  -- NULL when the app's server made it.
  created_by TEXT,
  data TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- The seq of the channel's newest message; 0 when there has been none.
  last_seq BIGINT NOT NULL,
  PRIMARY KEY (type, id)
);

CREATE TABLE chat_members (
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  user_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (type, channel, user_id)
);

CREATE INDEX chat_members_by_user ON chat_members (user_id, type, channel);

CREATE TABLE chat_messages (
  id TEXT NOT NULL PRIMARY KEY,
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  -- Counts the channel's messages from 1, in the order in which they were committed.
  seq BIGINT NOT NULL,
  user_id TEXT NOT NULL,
  text TEXT NOT NULL,
  custom TEXT,
  created_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX chat_messages_in_order ON chat_messages (type, channel, seq);
