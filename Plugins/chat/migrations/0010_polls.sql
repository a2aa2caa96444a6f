-- What is asked, as JSON; NULL for messages without a poll.
ALTER TABLE chat_messages ADD COLUMN poll TEXT;

CREATE TABLE chat_polls (
  message TEXT NOT NULL PRIMARY KEY,
  -- How many users have votes.
  voters BIGINT NOT NULL,
  -- NULL while nobody has closed it, also when its time is over.
  closed_at BIGINT
);

CREATE TABLE chat_poll_options (
  message TEXT NOT NULL,
  option_id BIGINT NOT NULL,
  votes BIGINT NOT NULL,
  PRIMARY KEY (message, option_id)
);

CREATE TABLE chat_poll_votes (
  message TEXT NOT NULL,
  user_id TEXT NOT NULL,
  option_id BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (message, user_id, option_id)
);

CREATE INDEX chat_poll_votes_by_option ON chat_poll_votes (message, option_id, user_id);
