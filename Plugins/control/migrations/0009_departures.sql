-- Accounts that are about to end, or have just ended: they come into no app, and no app counts them among its owners.
CREATE TABLE control_departures (
  account_id TEXT NOT NULL,
  since BIGINT NOT NULL,
  -- Where who asked was, and in which request.
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  PRIMARY KEY (account_id, request_id)
);

CREATE INDEX control_departures_since ON control_departures (since);
