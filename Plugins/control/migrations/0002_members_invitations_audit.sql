-- Roles are owner, admin, developer, viewer. An app has an owner at all times.
CREATE TABLE control_members (
  app_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  role TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (app_id, account_id)
);

CREATE INDEX control_members_account ON control_members (account_id, app_id);

-- `account_id` of an app is from now on the account that made it.
INSERT INTO control_members (app_id, account_id, role, created_at)
SELECT id, account_id, 'owner', created_at FROM control_apps;

CREATE TABLE control_invitations (
  id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  -- In lower case.
  email TEXT NOT NULL,
  role TEXT NOT NULL,
  -- SHA-256 of the code, in lower-case hexadecimal digits.
  digest TEXT NOT NULL UNIQUE,
  invited_by TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE UNIQUE INDEX control_invitations_address ON control_invitations (app_id, email);

-- Each row holds the hash of the row before it, and a hash of itself with that in it; the README says how it is made.
CREATE TABLE control_audit (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  app_id TEXT NOT NULL,
  actor_kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  address TEXT NOT NULL,
  request_id TEXT NOT NULL,
  action TEXT NOT NULL,
  outcome TEXT NOT NULL,
  target TEXT,
  -- JSON objects, as `after_value`.
  before_value TEXT,
  after_value TEXT,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);

CREATE INDEX control_audit_app ON control_audit (app_id, seq);
CREATE INDEX control_audit_action ON control_audit (app_id, action, created_at);

CREATE TRIGGER control_audit_no_update BEFORE UPDATE ON control_audit BEGIN
  SELECT RAISE(ABORT, 'the audit log is not changed');
END;

CREATE TRIGGER control_audit_no_delete BEFORE DELETE ON control_audit BEGIN
  SELECT RAISE(ABORT, 'nothing is removed from the audit log');
END;

CREATE TRIGGER control_audit_at_the_end BEFORE INSERT ON control_audit
WHEN NEW.seq <> (SELECT COALESCE(MAX(seq), 0) + 1 FROM control_audit) BEGIN
  SELECT RAISE(ABORT, 'the audit log grows at its end');
END;
