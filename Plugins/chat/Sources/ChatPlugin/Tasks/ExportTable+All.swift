internal import PluginKit

/// What an export has, in the order of its lines.
extension ExportTable {
  private static let channel = Column("channel", .text, "x.type || ':' || x.channel")
  private static let createdAt = Column("created_at", .time)
  private static let ofChannel = [Column("type"), Column("channel")]
  private static let said = [
    Column("text"), Column("attachments", .json), Column("mentions", .json),
    Column("custom", .json),
  ]

  static let all: [ExportTable] = [
    ExportTable(
      kind: "channel",
      columns: [
        Column("channel", .text, "x.type || ':' || x.id"), Column("created_by"),
        Column("data", .json), createdAt,
      ], from: "chat_channels x", user: "x.created_by", key: [Column("type"), Column("id")]),
    ExportTable(
      kind: "member",
      columns: [
        channel, Column("user_id"), Column("role"), Column("archived_at", .time),
        Column("pinned_at", .time), createdAt,
      ], from: "chat_members x", key: ofChannel),
    ExportTable(
      kind: "invitation", columns: [channel, Column("user_id"), createdAt],
      from: "chat_invitations x", key: ofChannel),
    ExportTable(
      kind: "message",
      columns: [Column("id"), channel, Column("user_id"), Column("kind")] + said + [
        Column("poll", .json), Column("quoted_id", .text, "x.quoted"),
        Column("parent_id", .text, "x.parent"),
        Column("show_in_channel", .flag, "CASE WHEN x.parent IS NULL THEN 0 ELSE x.listed END"),
        Column("silent", .flag), createdAt, Column("updated_at", .time),
      ], from: "chat_messages x", condition: "x.deleted_at IS NULL", key: [Column("id")]),
    ExportTable(
      kind: "held_message", columns: [channel, Column("message", .json), createdAt],
      from: "chat_held_messages x", key: [Column("id")]),
    ExportTable(
      kind: "edit",
      columns: [Column("message_id", .text, "x.message"), Column("version", .number)] + said + [
        Column("said_at", .time), Column("replaced_at", .time),
      ], from: "chat_edits x JOIN chat_messages m ON m.id = x.message", user: "m.user_id",
      key: [Column("id", .text, "m.id"), Column("version", .number)]),
    ExportTable(
      kind: "reaction",
      columns: [
        Column("message_id", .text, "x.message"), Column("user_id"), Column("reaction"), createdAt,
      ], from: "chat_reactions x", key: [Column("message"), Column("reaction")]),
    ExportTable(
      kind: "vote",
      columns: [
        Column("message_id", .text, "x.message"), Column("user_id"), Column("option_id", .number),
        createdAt,
      ], from: "chat_poll_votes x", key: [Column("message"), Column("option_id", .number)]),
    ExportTable(
      kind: "read",
      columns: [
        channel, Column("user_id"), Column("message_id", .text, "x.message"),
        Column("read_at", .time),
      ], from: "chat_reads x", key: ofChannel),
    ExportTable(
      kind: "thread",
      columns: [
        Column("parent_id", .text, "x.parent"), Column("user_id"), Column("replies", .number),
        Column("since", .time),
      ], from: "chat_thread_members x", key: [Column("parent")]),
    ExportTable(
      kind: "draft",
      columns: [channel, Column("parent_id", .text, "nullif(x.parent, '')"), Column("user_id")]
        + said + [Column("quoted_id", .text, "x.quoted"), Column("updated_at", .time)],
      from: "chat_drafts x", key: ofChannel + [Column("parent")]),
    ExportTable(
      kind: "mention", columns: [Column("message_id", .text, "x.message"), createdAt],
      from: "chat_mentions x", key: [Column("created_at", .number), Column("message")]),
    ExportTable(
      kind: "mute", columns: [Column("user_id"), Column("muted_id", .text, "x.muted"), createdAt],
      from: "chat_mutes x", key: [Column("muted")]),
    ExportTable(
      kind: "flag",
      columns: [
        Column("id"), Column("message_id", .text, "x.message"), channel, Column("reason"),
        createdAt,
      ], from: "chat_flags x", user: "x.flagged_by", key: [Column("id")]),
    ExportTable(
      kind: "ban",
      columns: [
        Column("channel", .text, "nullif(x.type || ':' || x.channel, ':')"), Column("user_id"),
        Column("reason"), Column("shadow", .flag), createdAt, Column("expires_at", .time),
      ], from: "chat_bans x", key: ofChannel),
    // Behind the others, so that an export that an earlier version has begun goes on where it is.
    ExportTable(
      kind: "reminder",
      columns: [
        Column("message_id", .text, "x.message"), channel, Column("user_id"),
        Column("remind_at", .time), Column("reminded_at", .time), createdAt,
        Column("updated_at", .time),
      ], from: "chat_reminders x", key: [Column("message")]),
  ]
}

extension ChatShard {
  /// A page of one of the tables, written in the batch that notes where the export is.
  func export(_ task: TaskRecord) async throws {
    try context.store.checkRoom()
    guard let user = task.userID, task.stage < ExportTable.all.count else {
      return try await commit(Batch(), of: task, stage: task.stage, isDone: true)
    }
    let table = ExportTable.all[task.stage]
    let position =
      try task.position.isEmpty ? [] : JSON.decode([String].self, from: Array(task.position.utf8))
    let limit = tasks.rows
    let rows = try await context.store.read(
      table.rows(of: user, after: position, limit: limit))
    var batch = Batch()
    let lines = try rows.flatMap { try table.line($0) }
    if !rows.isEmpty {
      batch.add(
        """
        INSERT INTO chat_export_parts (task, number, lines)
        VALUES (\(task.id), \(task.batches), \(String(decoding: lines, as: UTF8.self)))
        """)
    }
    let isLast = rows.count < limit
    let next = try isLast ? nil : rows.last.map { try RawJSON(encoding: table.position($0)).text }
    let stage = task.stage + (isLast ? 1 : 0)
    try await commit(
      batch, of: task, stage: stage, position: next ?? "", lines: Int64(rows.count),
      bytes: Int64(lines.count), isDone: stage == ExportTable.all.count)
  }
}
