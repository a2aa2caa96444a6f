-- Pixels of an image, as its head says; NULL of anything else.
ALTER TABLE uploads_items ADD COLUMN width BIGINT;
ALTER TABLE uploads_items ADD COLUMN height BIGINT;

-- The thumbnail of an image, in pixels and bytes; or why there is none.
ALTER TABLE uploads_items ADD COLUMN thumb_width BIGINT;
ALTER TABLE uploads_items ADD COLUMN thumb_height BIGINT;
ALTER TABLE uploads_items ADD COLUMN thumb_bytes BIGINT;
ALTER TABLE uploads_items ADD COLUMN thumb_absent TEXT;
