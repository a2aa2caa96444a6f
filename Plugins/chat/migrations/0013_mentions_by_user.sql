-- When the message came to mention the user.
ALTER TABLE chat_mentions ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
UPDATE chat_mentions SET created_at = coalesce(
  (SELECT m.created_at FROM chat_messages m WHERE m.id = chat_mentions.message), 0);

CREATE INDEX chat_mentions_by_user ON chat_mentions (user_id, created_at, message);
