-- NULL while it is as it was sent.
ALTER TABLE chat_messages ADD COLUMN updated_at BIGINT;
-- NULL while it is there. One that is gone keeps its id and its place here, and nothing of what it said; the
-- channel's history has the events that told it for as long as it keeps events.
ALTER TABLE chat_messages ADD COLUMN deleted_at BIGINT;

-- The channel's newest seq when the member came: what is older is not unread.
ALTER TABLE chat_members ADD COLUMN joined_seq BIGINT NOT NULL DEFAULT 0;
-- Nobody knows what members have read who were there before: for them it begins now.
UPDATE chat_members SET joined_seq = coalesce(
  (SELECT c.last_seq FROM chat_channels c
    WHERE c.type = chat_members.type AND c.id = chat_members.channel), 0);

CREATE TABLE chat_reactions (
  message TEXT NOT NULL,
  user_id TEXT NOT NULL,
  reaction TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (message, user_id, reaction)
);

CREATE TABLE chat_reads (
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  user_id TEXT NOT NULL,
  -- Up to and with this one the user has read the channel's messages.
  seq BIGINT NOT NULL,
  message TEXT NOT NULL,
  read_at BIGINT NOT NULL,
  PRIMARY KEY (type, channel, user_id)
);
