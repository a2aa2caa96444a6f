CREATE TABLE control_domains (
  host TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- A JSON array of texts, and times; NULL where no certificate was given.
  certificate_names TEXT,
  not_before BIGINT,
  not_after BIGINT
);

CREATE INDEX control_domains_app ON control_domains (app_id, host);

CREATE TABLE control_branding (
  app_id TEXT PRIMARY KEY,
  -- A JSON object, as it is answered.
  branding TEXT NOT NULL,
  updated_at BIGINT NOT NULL
);
