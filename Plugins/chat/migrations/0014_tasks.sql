-- What is done for the app's server while nobody waits for it.
CREATE TABLE chat_tasks (
  id TEXT NOT NULL PRIMARY KEY,
  -- "export", "erasure" or "import".
  kind TEXT NOT NULL,
  -- Whose data it is about; NULL for imports, and when he has been erased.
  user_id TEXT,
  -- Of an erasure: what becomes of messages, and who has written them from then on; of an import: what becomes of it when lines are wrong.
  mode TEXT,
  pseudonym TEXT,
  -- "receiving", "waiting", "running", "done" or "failed".
  status TEXT NOT NULL,
  -- Where it is: which part, and where in it.
  stage BIGINT NOT NULL DEFAULT 0,
  position TEXT NOT NULL DEFAULT '',
  -- Counts its batches, so that none is written twice.
  batches BIGINT NOT NULL DEFAULT 0,
  -- How many lines there are, and how many of them are dealt with.
  total BIGINT NOT NULL DEFAULT 0,
  lines BIGINT NOT NULL DEFAULT 0,
  refused BIGINT NOT NULL DEFAULT 0,
  error TEXT,
  created_at BIGINT NOT NULL,
  -- When it was done or had failed.
  finished_at BIGINT
);

CREATE INDEX chat_tasks_of_kind ON chat_tasks (kind, id);
CREATE INDEX chat_tasks_unfinished ON chat_tasks (created_at, id) WHERE finished_at IS NULL;
CREATE INDEX chat_tasks_finished ON chat_tasks (finished_at, id) WHERE finished_at IS NOT NULL;

-- Lines of JSON, some in each part.
CREATE TABLE chat_export_parts (
  task TEXT NOT NULL,
  number BIGINT NOT NULL,
  lines TEXT NOT NULL,
  PRIMARY KEY (task, number)
);

-- By which what a user has left is found.
CREATE INDEX chat_messages_by_user ON chat_messages (user_id, id);
CREATE INDEX chat_reactions_by_user ON chat_reactions (user_id, message, reaction);
CREATE INDEX chat_poll_votes_by_user ON chat_poll_votes (user_id, message, option_id);
CREATE INDEX chat_reads_by_user ON chat_reads (user_id, type, channel);

-- What is to be imported, until it is.
CREATE TABLE chat_import_lines (
  task TEXT NOT NULL,
  -- From 1, as they came.
  number BIGINT NOT NULL,
  -- In which turn it is dealt with: what others refer to comes first.
  turn BIGINT NOT NULL,
  -- What others refer to it by; '' for nothing.
  name TEXT NOT NULL,
  line TEXT NOT NULL,
  PRIMARY KEY (task, number)
);

CREATE INDEX chat_import_lines_by_turn ON chat_import_lines (task, turn, number);
CREATE INDEX chat_import_lines_by_name ON chat_import_lines (task, turn, name, number);

-- What is wrong with lines: of the first thousand.
CREATE TABLE chat_import_errors (
  task TEXT NOT NULL,
  number BIGINT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (task, number)
);
