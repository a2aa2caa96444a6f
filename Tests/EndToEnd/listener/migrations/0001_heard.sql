-- No key: an event that is heard twice stands here twice.
CREATE TABLE ear_heard (sequence INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE ear_tries (sequence INTEGER NOT NULL);
