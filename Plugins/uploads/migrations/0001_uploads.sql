-- Times are Unix milliseconds.

CREATE TABLE uploads_items (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  -- What the client called it; empty for none.
  name TEXT NOT NULL,
  -- The media type, as the bytes themselves and the client agree on it.
  type TEXT NOT NULL,
  -- Bytes. 0 while it is being received.
  size BIGINT NOT NULL,
  -- Lower-case hexadecimal; NULL while it is being received.
  sha256 TEXT,
  -- receiving: it may be half there. ready. deleting: nobody sees it, and its bytes are going.
  state TEXT NOT NULL,
  -- Where its bytes are: folder
  store TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE INDEX uploads_items_owned ON uploads_items (user_id, state, id);
CREATE INDEX uploads_items_states ON uploads_items (state, id);

-- What a user has, and how much of it came lately.
CREATE TABLE uploads_users (
  user_id TEXT PRIMARY KEY,
  -- Of all that is ready.
  bytes BIGINT NOT NULL,
  -- The minute, counted from 1970, in which `begun` were begun.
  minute BIGINT NOT NULL,
  begun BIGINT NOT NULL
);
