-- breaking: true
-- Which instance of the plugin makes an app or a key that is `creating`; NULL in those of before.
ALTER TABLE control_apps ADD COLUMN owner BIGINT;
ALTER TABLE control_keys ADD COLUMN owner BIGINT;
-- What control_changes has taken the place of.
DROP TABLE control_domain_changes;
ALTER TABLE control_keys DROP COLUMN pending_credential;
ALTER TABLE control_keys DROP COLUMN pending_at;
