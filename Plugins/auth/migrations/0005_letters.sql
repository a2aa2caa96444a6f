-- Letters with one-time codes, several of a purpose at a time, in place of auth_codes, which had one each and is not used any more.
CREATE TABLE auth_letters (
  -- The code in the letter is computed of it, under a sealed key.
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  purpose TEXT NOT NULL,
  digest TEXT NOT NULL,
  -- Over all networks.
  tries BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  -- When the mailer is to be given the letter; NULL when it has taken it.
  due_at BIGINT
);

CREATE INDEX auth_letters_by_account ON auth_letters (account_id, purpose);
CREATE INDEX auth_letters_expiry ON auth_letters (expires_at);
CREATE INDEX auth_letters_due ON auth_letters (due_at) WHERE due_at IS NOT NULL;

-- How often a code was tried from one network.
CREATE TABLE auth_letter_tries (
  letter_id TEXT NOT NULL,
  network TEXT NOT NULL,
  tries BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (letter_id, network)
);

CREATE INDEX auth_letter_tries_expiry ON auth_letter_tries (expires_at);

DELETE FROM auth_codes;
