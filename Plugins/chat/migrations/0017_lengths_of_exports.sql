-- Of an export: how many bytes its lines have, so that who is given fewer sees it; 0 for those of before.
ALTER TABLE chat_tasks ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
