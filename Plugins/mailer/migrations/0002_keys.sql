-- What whoever asked knows the message by: asking again under the same key is the same message, as long as its row is kept.
ALTER TABLE mailer_messages ADD COLUMN request_key TEXT;
CREATE UNIQUE INDEX mailer_messages_key ON mailer_messages (request_key);
