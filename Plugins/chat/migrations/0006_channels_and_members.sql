-- Counts the changes of the channel; who changes it may say which he has seen.
ALTER TABLE chat_channels ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
-- NULL while it is as it was made.
ALTER TABLE chat_channels ADD COLUMN updated_at BIGINT;
-- Who its members are, where there is to be one channel of these members alone; NULL for others, and for those that are gone.
ALTER TABLE chat_channels ADD COLUMN distinct_key TEXT;
CREATE UNIQUE INDEX chat_channels_distinct ON chat_channels (type, distinct_key);

-- The channel's newest seq when the member hid it: a newer message shows it again. NULL while it is shown.
ALTER TABLE chat_members ADD COLUMN hidden_seq BIGINT;
ALTER TABLE chat_members ADD COLUMN archived_at BIGINT;
ALTER TABLE chat_members ADD COLUMN pinned_at BIGINT;

CREATE TABLE chat_invitations (
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  user_id TEXT NOT NULL,
  -- NULL when the app's server has invited him.
  invited_by TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (type, channel, user_id)
);

CREATE INDEX chat_invitations_by_user ON chat_invitations (user_id, type, channel);
