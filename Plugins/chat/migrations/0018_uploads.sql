-- Which uploads a message links to, or has linked to; also one that its author alone sees.
CREATE TABLE chat_uploads (
  message TEXT NOT NULL,
  upload TEXT NOT NULL,
  -- Whose upload it is.
  user_id TEXT NOT NULL,
  -- 1: the message's author's, so that it goes when no message links to it any more.
  own BIGINT NOT NULL,
  PRIMARY KEY (message, upload)
);

CREATE INDEX chat_uploads_by_upload ON chat_uploads (upload);
CREATE INDEX chat_uploads_by_user ON chat_uploads (user_id, message, upload);

-- Uploads that nothing links to any more: nothing may from here on, and they are to go.
CREATE TABLE chat_upload_ends (
  upload TEXT NOT NULL PRIMARY KEY,
  user_id TEXT NOT NULL,
  -- When it went; NULL while it may be there.
  ended_at BIGINT
);

CREATE INDEX chat_upload_ends_by_time ON chat_upload_ends (ended_at, upload);
