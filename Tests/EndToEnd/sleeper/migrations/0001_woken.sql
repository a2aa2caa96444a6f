-- No key: a wake-up that happens twice stands here twice.
CREATE TABLE sleeper_woken (at INTEGER NOT NULL);
