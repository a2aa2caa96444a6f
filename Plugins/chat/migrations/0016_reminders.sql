-- Messages that users want to come back to.
CREATE TABLE chat_reminders (
  user_id TEXT NOT NULL,
  message TEXT NOT NULL,
  -- The message's channel.
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  -- NULL for what is kept without a time.
  remind_at BIGINT,
  -- NULL until the user has been told.
  reminded_at BIGINT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, message)
);

CREATE INDEX chat_reminders_by_time ON chat_reminders (user_id, created_at, message);
CREATE INDEX chat_reminders_of_message ON chat_reminders (message);
CREATE INDEX chat_reminders_due ON chat_reminders (remind_at)
  WHERE reminded_at IS NULL AND remind_at IS NOT NULL;

-- When a poll is over by itself; NULL for never, and for polls of before.
ALTER TABLE chat_polls ADD COLUMN closes_at BIGINT;

CREATE INDEX chat_polls_due ON chat_polls (closes_at) WHERE closed_at IS NULL AND closes_at IS NOT NULL;
