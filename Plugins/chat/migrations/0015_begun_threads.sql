-- The messages of a channel with which threads begin.
CREATE INDEX chat_messages_begun ON chat_messages (type, channel) WHERE reply_count > 0;
