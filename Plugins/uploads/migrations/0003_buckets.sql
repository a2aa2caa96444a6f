-- uploads_items.store may be s3 too: then its bytes are in a bucket as soon as it is ready.

-- While it is put into a bucket in parts: how the server knows that; it is to be ended should nobody finish it.
ALTER TABLE uploads_items ADD COLUMN multipart TEXT;

-- 1: the upload is ready in a bucket, and what was received of it may still stand on the gateway's disk.
ALTER TABLE uploads_items ADD COLUMN here BIGINT NOT NULL DEFAULT 0;

CREATE INDEX uploads_items_here ON uploads_items (here, id);
