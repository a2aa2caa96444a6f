-- Hours that have grown old are found by it.
CREATE INDEX webhooks_hours_old ON webhooks_hours (hour);
