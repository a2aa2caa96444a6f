-- NULL while it is not pinned.
ALTER TABLE chat_messages ADD COLUMN pinned_at BIGINT;
-- NULL too when the app's server has pinned it.
ALTER TABLE chat_messages ADD COLUMN pinned_by TEXT;

CREATE INDEX chat_messages_pinned ON chat_messages (type, channel, pinned_at, id)
  WHERE pinned_at IS NOT NULL;

-- What messages said before they were changed.
CREATE TABLE chat_edits (
  message TEXT NOT NULL,
  -- Counts the changes of the message from 1.
  version BIGINT NOT NULL,
  text TEXT NOT NULL,
  attachments TEXT,
  mentions TEXT,
  custom TEXT,
  -- Since when it had said so.
  said_at BIGINT NOT NULL,
  replaced_at BIGINT NOT NULL,
  -- NULL when the app's server has changed it.
  replaced_by TEXT,
  PRIMARY KEY (message, version)
);

CREATE INDEX chat_reactions_by_name ON chat_reactions (message, reaction, user_id);
