-- What was published under the key, so that the key with something else is known for that. Since then `key` has in it
-- whose it is and where it stood in the request.
ALTER TABLE realtime_publications ADD COLUMN fingerprint BLOB;
