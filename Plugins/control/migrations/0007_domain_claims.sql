-- Host names that apps want and have not proven to be their own; several apps may want one. Those in control_domains are proven.
CREATE TABLE control_domain_claims (
  host TEXT NOT NULL,
  app_id TEXT NOT NULL,
  -- What the record in the DNS has to hold.
  token TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  checks BIGINT NOT NULL,
  checked_at BIGINT,
  -- Why the last look found no proof, in words.
  failure TEXT,
  PRIMARY KEY (host, app_id)
);

CREATE INDEX control_domain_claims_app ON control_domain_claims (app_id, host);
