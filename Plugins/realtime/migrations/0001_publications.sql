-- What was published with a key of the publisher's, so that a repeat publishes nothing.
CREATE TABLE realtime_publications (
  key TEXT NOT NULL,
  channel TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  position INTEGER,
  epoch TEXT,
  PRIMARY KEY (key, channel)
);
CREATE INDEX realtime_publications_age ON realtime_publications (made_at);
