-- The host's id of the credential that is the key's secret half; NULL is the key's own id.
ALTER TABLE control_keys ADD COLUMN credential TEXT;
-- The one before it, and until when it is good. `unsettled` is 1 until the host has been told.
ALTER TABLE control_keys ADD COLUMN previous_credential TEXT;
ALTER TABLE control_keys ADD COLUMN previous_until BIGINT;
ALTER TABLE control_keys ADD COLUMN unsettled INTEGER NOT NULL DEFAULT 0;
-- The one that a rotation is about to let in.
ALTER TABLE control_keys ADD COLUMN pending_credential TEXT;
ALTER TABLE control_keys ADD COLUMN pending_at BIGINT;
ALTER TABLE control_keys ADD COLUMN rotated_at BIGINT;
