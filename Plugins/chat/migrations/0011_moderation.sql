-- Seconds between two messages of a user; NULL is what the type says.
ALTER TABLE chat_channels ADD COLUMN slow_mode_seconds BIGINT;

-- Where users may not write as often as they like: when they did.
CREATE TABLE chat_pace (
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  user_id TEXT NOT NULL,
  sent_at BIGINT NOT NULL,
  -- When the messages began that are counted, and how many they are.
  window_at BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  PRIMARY KEY (type, channel, user_id)
);

-- What is answered to its author as if it had been sent, and reaches nobody else. Apart from chat_messages, so that no statement
-- that forgets about it shows it.
CREATE TABLE chat_held_messages (
  id TEXT NOT NULL PRIMARY KEY,
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  seq BIGINT NOT NULL,
  user_id TEXT NOT NULL,
  -- As it was answered, JSON.
  message TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX chat_held_messages_in_order ON chat_held_messages (type, channel, user_id, seq);

-- Whom a user does not want to hear of.
CREATE TABLE chat_mutes (
  user_id TEXT NOT NULL,
  muted TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, muted)
);
