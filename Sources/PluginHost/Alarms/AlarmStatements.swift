internal import Store

/// The SQL of alarms in `control.sqlite`.
enum AlarmStatements {
  /// When nobody looks at an alarm: until it is unparked.
  static let never = Int64.max

  /// Sets an alarm, unless an earlier one is set or the tenant is gone.
  static func set(_ alarm: Alarm, at time: Int64, isStatic: Bool) -> Statement {
    Statement(
      """
      INSERT INTO sluice_alarms (tenant, plugin, wake_at, try_at, failures)
      SELECT :tenant, :plugin, :time, :time, 0
      WHERE :is_static = 1 OR EXISTS (SELECT 1 FROM sluice_tenants WHERE id = :tenant)
      ON CONFLICT (tenant, plugin) DO UPDATE
      SET wake_at = excluded.wake_at, try_at = excluded.wake_at, failures = 0
      WHERE excluded.wake_at < sluice_alarms.wake_at
      """,
      binds: name(alarm) + [
        Bind("time", .integer(time)), Bind("is_static", .integer(isStatic ? 1 : 0)),
      ])
  }

  /// The alarms that are due, those that have waited longest first; of each plugin so many at most. It takes steps for these
  /// alone: the plugins are found by going from one to the next in an index.
  static func due(at now: Int64, limitOfPlugin limit: Int) -> Statement {
    Statement(
      """
      WITH RECURSIVE plugins (plugin) AS (
        SELECT min(plugin) FROM sluice_alarms
        UNION ALL
        SELECT (SELECT min(plugin) FROM sluice_alarms WHERE plugin > plugins.plugin)
        FROM plugins WHERE plugins.plugin IS NOT NULL
      )
      SELECT alarm.tenant, alarm.plugin, alarm.failures
      FROM plugins JOIN sluice_alarms AS alarm ON alarm.rowid IN (
        SELECT first.rowid FROM sluice_alarms AS first
        WHERE first.plugin = plugins.plugin AND first.try_at <= :now ORDER BY first.try_at LIMIT :limit)
      ORDER BY alarm.try_at
      """, binds: [Bind("now", .integer(now)), Bind("limit", .integer(Int64(limit)))])
  }

  /// When the next alarm is due that is not due yet.
  static func next(after now: Int64) -> Statement {
    Statement(
      "SELECT try_at FROM sluice_alarms WHERE try_at > :now ORDER BY try_at LIMIT 1",
      binds: [Bind("now", .integer(now))])
  }

  /// Moves an alarm, if it is there: a tenant that is gone gets none.
  static func move(_ alarm: Alarm, to time: Int64, notBefore tryAt: Int64) -> Statement {
    Statement(
      """
      UPDATE sluice_alarms SET wake_at = :time, try_at = :try_at, failures = 0
      WHERE tenant = :tenant AND plugin = :plugin
      """,
      binds: name(alarm) + [Bind("time", .integer(time)), Bind("try_at", .integer(tryAt))])
  }

  /// Has an alarm wait, with what it was set for unchanged.
  static func delay(_ alarm: Alarm, until tryAt: Int64, failures: Int64) -> Statement {
    Statement(
      """
      UPDATE sluice_alarms SET try_at = :try_at, failures = :failures
      WHERE tenant = :tenant AND plugin = :plugin
      """,
      binds: name(alarm) + [Bind("try_at", .integer(tryAt)), Bind("failures", .integer(failures))])
  }

  /// Has none wait beyond a time that was not set for longer; what is parked stays so.
  static func hurry(to latest: Int64) -> Statement {
    Statement(
      """
      UPDATE sluice_alarms SET try_at = max(wake_at, :latest)
      WHERE try_at > :latest AND try_at > wake_at AND try_at <> :never
      """, binds: [Bind("latest", .integer(latest)), Bind("never", .integer(never))])
  }

  /// Takes an alarm away.
  static func remove(_ alarm: Alarm) -> Statement {
    Statement(
      "DELETE FROM sluice_alarms WHERE tenant = :tenant AND plugin = :plugin", binds: name(alarm))
  }

  /// Takes all alarms of a tenant away.
  static func remove(of tenant: String) -> Statement {
    Statement(
      "DELETE FROM sluice_alarms WHERE tenant = :tenant", binds: [Bind("tenant", .text(tenant))])
  }

  /// Has alarms that wait for longer than they were set for come by their time again; nil: those of all tenants.
  static func unpark(_ tenant: String?) -> Statement {
    let all = "UPDATE sluice_alarms SET try_at = wake_at, failures = 0 WHERE try_at <> wake_at"
    guard let tenant else { return Statement(all) }
    return Statement(all + " AND tenant = :tenant", binds: [Bind("tenant", .text(tenant))])
  }

  private static func name(_ alarm: Alarm) -> [Bind] {
    [Bind("tenant", .text(alarm.tenant)), Bind("plugin", .text(alarm.plugin))]
  }
}
