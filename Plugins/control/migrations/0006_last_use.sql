-- When the secret half before the last rotation was used last, in Unix milliseconds: the host forgets it with the secret.
ALTER TABLE control_keys ADD COLUMN last_used_at BIGINT;
