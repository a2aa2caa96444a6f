-- Issuers whose clocks were seen to be ahead, and when that was last: a token of theirs may have been issued before what its iat says.
CREATE TABLE auth_issuer_clocks (
  issuer TEXT PRIMARY KEY,
  ahead_at BIGINT NOT NULL
);
