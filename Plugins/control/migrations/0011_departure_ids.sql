-- Which of an account's departures it is, as whoever keeps accounts calls it: what a client calls its request is for the log alone.
ALTER TABLE control_departures ADD COLUMN logged_request_id TEXT;
