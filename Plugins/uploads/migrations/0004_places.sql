-- Of an upload whose store is s3: endpoint, bucket and prefix of what it is in, as one URL; NULL of those from before, which are where the settings say.
ALTER TABLE uploads_items ADD COLUMN place TEXT;
