-- Host names that are about to be put or removed: what a crash leaves is put right by what the gateway has.
CREATE TABLE control_domain_changes (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  host TEXT NOT NULL,
  began_at BIGINT NOT NULL
);
