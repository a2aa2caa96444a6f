-- Changes of what the gateway keeps of an app. Those of one subject are made one after another: each is noted with the record
-- that begins it, and forgotten with the one that says how it ended. It takes the place of control_domain_changes.
CREATE TABLE control_changes (
  app_id TEXT NOT NULL,
  -- "app", "branding", "signing_secret", or "key:", "plugin:" or "domain:" and which.
  subject TEXT NOT NULL,
  id TEXT NOT NULL,
  -- Which instance of the plugin makes it.
  owner BIGINT NOT NULL,
  began_at BIGINT NOT NULL,
  -- A JSON object: its audit record, from the intent on with what was before.
  record TEXT NOT NULL,
  -- A JSON object without secrets: what it is to come to. NULL while nothing was asked of the gateway.
  intent TEXT,
  PRIMARY KEY (app_id, subject)
);
