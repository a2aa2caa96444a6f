-- NULL for what users say.
ALTER TABLE chat_messages ADD COLUMN kind TEXT;
-- A JSON list; NULL for none.
ALTER TABLE chat_messages ADD COLUMN attachments TEXT;
-- A JSON list of users, as in chat_mentions; NULL for none.
ALTER TABLE chat_messages ADD COLUMN mentions TEXT;
-- The id of a message of the same channel.
ALTER TABLE chat_messages ADD COLUMN quoted TEXT;
-- 1: it is never unread, and nobody is told of it.
ALTER TABLE chat_messages ADD COLUMN silent BIGINT NOT NULL DEFAULT 0;

CREATE TABLE chat_mentions (
  message TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (message, user_id)
);
