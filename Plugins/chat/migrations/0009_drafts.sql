CREATE TABLE chat_drafts (
  user_id TEXT NOT NULL,
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  -- The message that began the thread; '' for what is to be sent to the channel.
  parent TEXT NOT NULL,
  text TEXT NOT NULL,
  attachments TEXT,
  mentions TEXT,
  quoted TEXT,
  custom TEXT,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, type, channel, parent)
);

CREATE INDEX chat_drafts_by_time ON chat_drafts (user_id, updated_at, type, channel, parent);
