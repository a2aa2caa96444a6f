-- By which a publication is found in its channel's history when its position was not written down.
ALTER TABLE realtime_publications ADD COLUMN mark TEXT;
