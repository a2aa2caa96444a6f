-- "owner", "moderator", "member", or a name of the app's own.
ALTER TABLE chat_members ADD COLUMN role TEXT NOT NULL DEFAULT 'member';
-- Whoever has made a channel has it from now on.
UPDATE chat_members SET role = 'owner' WHERE user_id = (
  SELECT c.created_by FROM chat_channels c WHERE c.type = chat_members.type AND c.id = chat_members.channel);

-- 1 while only those write who may in a frozen channel.
ALTER TABLE chat_channels ADD COLUMN frozen BIGINT NOT NULL DEFAULT 0;
-- NULL while it is there. One that is gone keeps its id.
ALTER TABLE chat_channels ADD COLUMN deleted_at BIGINT;
-- When its newest message came; NULL when there has been none.
ALTER TABLE chat_channels ADD COLUMN last_message_at BIGINT;
UPDATE chat_channels SET last_message_at = (SELECT m.created_at FROM chat_messages m
  WHERE m.type = chat_channels.type AND m.channel = chat_channels.id AND m.seq = chat_channels.last_seq);

CREATE TABLE chat_bans (
  user_id TEXT NOT NULL,
  -- Both '' for all channels of the app.
  type TEXT NOT NULL,
  channel TEXT NOT NULL,
  -- NULL when the app's server has banned him.
  banned_by TEXT,
  reason TEXT,
  -- 1 when the user is not to know.
  shadow BIGINT NOT NULL,
  -- NULL is never.
  expires_at BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, type, channel)
);

CREATE INDEX chat_bans_by_channel ON chat_bans (type, channel, user_id);
