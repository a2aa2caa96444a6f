-- What a password's hash costs to check: all of it but salt and digest. Until now all were of one cost, or imported from bcrypt.
ALTER TABLE auth_accounts ADD COLUMN password_kind TEXT;

UPDATE auth_accounts SET password_kind = CASE
  WHEN password LIKE '$2_$%' THEN '$2b' || substr(password, 4, 4)
  WHEN password LIKE '$argon2id$v=19$m=19456,t=2,p=1$%' THEN '$argon2id$v=19$m=19456,t=2,p=1$'
END;

CREATE INDEX auth_accounts_password_kind ON auth_accounts (password_kind);
