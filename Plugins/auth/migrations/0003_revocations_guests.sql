-- Tokens of a user that were issued before a moment and are good no more. The user need not be known here.
CREATE TABLE auth_revocations (
  user_id TEXT PRIMARY KEY,
  issued_before BIGINT NOT NULL
);

-- A guest is a user until a moment; NULL is for ever.
ALTER TABLE auth_users ADD COLUMN guest_until BIGINT;

CREATE INDEX auth_users_guests ON auth_users (guest_until) WHERE guest_until IS NOT NULL;

-- How many guests came from an address in an hour, counted from 1970.
CREATE TABLE auth_guest_arrivals (
  address TEXT NOT NULL,
  hour BIGINT NOT NULL,
  count BIGINT NOT NULL,
  PRIMARY KEY (address, hour)
);

CREATE INDEX auth_guest_arrivals_hour ON auth_guest_arrivals (hour);
