-- Letters with invitations that went out lately, whatever has become of their apps.
CREATE TABLE control_invitation_letters (
  invitation_id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  -- SHA-256 of the address, in lower-case hexadecimal digits.
  address TEXT NOT NULL,
  sent_at BIGINT NOT NULL
);

CREATE INDEX control_invitation_letters_account ON control_invitation_letters (account_id, sent_at);
CREATE INDEX control_invitation_letters_address ON control_invitation_letters (address, sent_at);
CREATE INDEX control_invitation_letters_sent ON control_invitation_letters (sent_at);

