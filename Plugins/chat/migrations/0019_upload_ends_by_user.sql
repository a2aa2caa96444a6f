CREATE INDEX chat_upload_ends_by_user ON chat_upload_ends (user_id, upload);
