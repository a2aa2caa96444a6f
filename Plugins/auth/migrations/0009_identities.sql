-- By whose tokens, besides the app's own, a user who was a guest is let in: an issuer and what it calls the user. NULL where there is none.
ALTER TABLE auth_users ADD COLUMN identity_issuer TEXT;
ALTER TABLE auth_users ADD COLUMN identity_subject TEXT;

CREATE UNIQUE INDEX auth_users_identity ON auth_users (identity_issuer, identity_subject)
  WHERE identity_issuer IS NOT NULL;
