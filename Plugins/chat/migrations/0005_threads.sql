-- Of a reply: the message that began the thread, of the same channel and no reply itself.
ALTER TABLE chat_messages ADD COLUMN parent TEXT;
-- 0 for replies that stand in their thread alone.
ALTER TABLE chat_messages ADD COLUMN listed BIGINT NOT NULL DEFAULT 1;
-- How many replies there are that are not deleted.
ALTER TABLE chat_messages ADD COLUMN reply_count BIGINT NOT NULL DEFAULT 0;
-- NULL when there are none.
ALTER TABLE chat_messages ADD COLUMN latest_reply_at BIGINT;

CREATE INDEX chat_messages_listed ON chat_messages (type, channel, seq)
  WHERE listed = 1 AND deleted_at IS NULL;
CREATE INDEX chat_messages_of_thread ON chat_messages (parent, seq)
  WHERE parent IS NOT NULL AND deleted_at IS NULL;

CREATE TABLE chat_thread_members (
  parent TEXT NOT NULL,
  user_id TEXT NOT NULL,
  -- How many of the replies are his.
  replies BIGINT NOT NULL,
  -- Counts who has replied, from 1, in the order in which they came; 0 while there is no reply of his.
  place BIGINT NOT NULL,
  -- The seq up to and with which he has read the thread.
  seen BIGINT NOT NULL,
  -- 1 when he began the thread, has replied or is mentioned; 0 when he has only read it.
  follows BIGINT NOT NULL,
  -- When he came to it.
  since BIGINT NOT NULL,
  PRIMARY KEY (parent, user_id)
);

CREATE INDEX chat_thread_members_by_place ON chat_thread_members (parent, place);
CREATE INDEX chat_thread_members_by_user ON chat_thread_members (user_id, follows, since, parent);
