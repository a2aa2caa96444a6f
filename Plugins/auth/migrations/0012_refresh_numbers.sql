-- How far a session's refresh tokens have come: the number of the one that is good now, random bytes of which all are computed with a sealed key, and
-- when those before it were used, the last first, as a JSON array of Unix milliseconds of those that may come again. NULL in sessions of before,
-- whose tokens are rows of auth_refresh_tokens: those go when they expire, and no others come.
ALTER TABLE auth_sessions ADD COLUMN refresh_number BIGINT;
ALTER TABLE auth_sessions ADD COLUMN refresh_nonce TEXT;
ALTER TABLE auth_sessions ADD COLUMN refresh_uses TEXT;
