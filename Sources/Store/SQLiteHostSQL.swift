/// The store's own statements. Each connection compiles them once, at first use.
enum SQLiteHostSQL: Int, CaseIterable {
  case beginImmediate, begin, commit, rollback, savepoint, release, rollbackTo
  case journalMode, pageSize, pageCount, freePages, userVersion, integrityCheck, checkpoint, epoch,
    tables, objects,
    owners
  case references
  case appliedMigrations, insertMigration
  case nextOffset, replaceEvents, insertEvent, topSequence, eventsAfter, channel, historyForward,
    historyReverse
  case sweepEnd, sweep
  case cursor, insertCursor, deleteCursor, advanceCursor
  case insertRequest

  var sql: String {
    switch self {
    case .beginImmediate: "BEGIN IMMEDIATE"
    case .begin: "BEGIN"
    case .commit: "COMMIT"
    case .rollback: "ROLLBACK"
    case .savepoint: "SAVEPOINT member"
    case .release: "RELEASE member"
    case .rollbackTo: "ROLLBACK TO member"
    case .journalMode: "PRAGMA journal_mode=WAL"
    case .pageSize: "PRAGMA page_size"
    case .pageCount: "PRAGMA page_count"
    case .freePages: "PRAGMA freelist_count"
    case .userVersion: "PRAGMA user_version"
    case .integrityCheck: "PRAGMA integrity_check(1)"
    case .checkpoint: "PRAGMA wal_checkpoint(TRUNCATE)"
    case .epoch: "SELECT epoch FROM sluice_file"
    case .tables: "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')"
    case .objects: "SELECT type, name FROM sqlite_master"
    case .references:
      """
      SELECT DISTINCT t.name, k."table" FROM sqlite_master t, pragma_foreign_key_list(t.name) k
      WHERE t.type = 'table' ORDER BY 1, 2
      """
    case .owners: "SELECT DISTINCT owner FROM sluice_migrations"
    case .appliedMigrations:
      """
      SELECT version, name, checksum, breaking FROM sluice_migrations WHERE owner = ?1
      ORDER BY version
      """
    case .insertMigration:
      """
      INSERT INTO sluice_migrations (owner, version, name, checksum, breaking, applied_at)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6)
      """
    case .nextOffset:
      """
      INSERT INTO sluice_channels (channel, top_offset, history_size) VALUES (?1, 1, ?2)
      ON CONFLICT (channel) DO UPDATE
        SET top_offset = top_offset + 1, history_size = excluded.history_size
      RETURNING top_offset
      """
    // The text is looked for first, because to read JSON costs more; a backslash may stand for any of its characters.
    case .replaceEvents:
      """
      UPDATE sluice_outbox SET type = ?3, data = ?4
      WHERE channel = ?1 AND "offset" IS NOT NULL AND CASE
        WHEN instr(CAST(data AS TEXT), ?2) = 0 AND instr(CAST(data AS TEXT), '\\') = 0 THEN 0
        WHEN json_valid(CAST(data AS TEXT)) THEN json_extract(CAST(data AS TEXT), '$.id') = ?2
        ELSE 0 END
      """
    case .insertEvent:
      """
      INSERT INTO sluice_outbox (channel, "offset", expires_at, time, type, id, data)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING seq
      """
    case .topSequence: "SELECT coalesce(max(seq), 0) FROM sluice_outbox"
    case .eventsAfter:
      """
      SELECT seq, channel, "offset", time, type, id, data FROM sluice_outbox
      WHERE seq > ?1 ORDER BY seq LIMIT ?2
      """
    case .channel: "SELECT top_offset, history_size FROM sluice_channels WHERE channel = ?1"
    case .historyForward:
      """
      SELECT seq, channel, "offset", time, type, id, data FROM sluice_outbox
      WHERE channel = ?1 AND "offset" > ?2 AND (expires_at IS NULL OR expires_at > ?3)
      ORDER BY "offset" LIMIT ?4
      """
    case .historyReverse:
      """
      SELECT seq, channel, "offset", time, type, id, data FROM sluice_outbox
      WHERE channel = ?1 AND "offset" > ?2 AND "offset" < ?5
        AND (expires_at IS NULL OR expires_at > ?3)
      ORDER BY "offset" DESC LIMIT ?4
      """
    case .sweepEnd:
      """
      SELECT max(seq), count(*) FROM (SELECT seq FROM sluice_outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2)
      """
    // The row with the highest sequence stays, for the next sequence is counted from it.
    case .sweep:
      """
      DELETE FROM sluice_outbox
      WHERE seq > ?1 AND seq <= ?2
        AND seq < (SELECT max(seq) FROM sluice_outbox)
        AND seq <= (SELECT coalesce(min(seq), 9223372036854775807) FROM sluice_cursors)
        AND ("offset" IS NULL OR expires_at <= ?3 OR "offset" <=
          (SELECT top_offset - history_size FROM sluice_channels
           WHERE sluice_channels.channel = sluice_outbox.channel))
      """
    case .cursor: "SELECT seq FROM sluice_cursors WHERE listener = ?1"
    case .insertCursor:
      """
      INSERT INTO sluice_cursors (listener, seq)
      VALUES (?1, (SELECT coalesce(max(seq), 0) FROM sluice_outbox))
      ON CONFLICT (listener) DO NOTHING
      """
    case .deleteCursor: "DELETE FROM sluice_cursors WHERE listener = ?1"
    case .advanceCursor:
      """
      UPDATE sluice_cursors SET seq = ?2 WHERE listener = ?1 AND seq < ?2 RETURNING seq
      """
    case .insertRequest:
      """
      INSERT INTO sluice_requests (principal, key, fingerprint, claim, at) VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (principal, key) DO UPDATE
        SET fingerprint = ?3, claim = ?4, at = ?5, status = NULL, content_type = NULL, answer = NULL
        WHERE claim = ?4 OR at < ?6
      RETURNING at
      """
    }
  }

  /// The tables that every file has.
  static let schema = """
    CREATE TABLE sluice_file (epoch TEXT NOT NULL, created_at INTEGER NOT NULL);
    CREATE TABLE sluice_migrations (
      owner TEXT NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL,
      breaking INTEGER NOT NULL, applied_at INTEGER NOT NULL, PRIMARY KEY (owner, version)
    ) WITHOUT ROWID;
    CREATE TABLE sluice_channels (
      channel TEXT NOT NULL PRIMARY KEY, top_offset INTEGER NOT NULL, history_size INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE sluice_outbox (
      seq INTEGER PRIMARY KEY, channel TEXT, "offset" INTEGER, expires_at INTEGER,
      time INTEGER NOT NULL, type TEXT NOT NULL, id TEXT NOT NULL, data BLOB NOT NULL
    );
    CREATE UNIQUE INDEX sluice_outbox_channel ON sluice_outbox (channel, "offset")
      WHERE "offset" IS NOT NULL;
    CREATE TABLE sluice_cursors (listener TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL)
      WITHOUT ROWID;
    """ + requests
  /// As the schema's other tables; files that were made before it get it when they are opened.
  static let requests = """

    CREATE TABLE sluice_requests (
      principal TEXT NOT NULL, key TEXT NOT NULL, fingerprint BLOB NOT NULL, claim BLOB NOT NULL,
      at INTEGER NOT NULL, status INTEGER, content_type TEXT, answer BLOB,
      PRIMARY KEY (principal, key)
    );
    CREATE INDEX sluice_requests_at ON sluice_requests (at);
    """
  static let schemaVersion: Int64 = 1
}
