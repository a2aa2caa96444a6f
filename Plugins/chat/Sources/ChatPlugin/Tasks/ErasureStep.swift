/// A column that has a user, and what becomes of the rows with an erased one.
struct Trace: Equatable {
  enum End: Equatable {
    case removed
    /// The row stays, without him.
    case cleared
    /// The row stays where his messages do, and is as theirs then.
    case asMessages
  }

  let table: String
  let column: String
  /// What no two rows have the same.
  let key: [String]
  var end = End.removed
  var condition = "1 = 1"
}

/// A part of an erasure, done some rows at a time.
enum ErasureStep: Equatable {
  case exports, memberships, mutes, messages, votes, mentions
  /// What messages link to of his.
  case uploads
  /// Those in what messages said before, or are to say.
  case mentionsIn(table: String, key: [String])
  /// Those in messages that their authors alone see.
  case mentionsHeld
  case trace(Trace)
  /// The index of words, where what was removed stands until it is merged.
  case words

  /// In the order in which they are done. What is found by a user comes before what shows that he has been there.
  static let allCases: [ErasureStep] =
    [.exports, .memberships, .mutes, .messages, .votes, .mentions]
    + [
      .mentionsIn(table: "chat_edits", key: ["message", "version"]),
      .mentionsIn(table: "chat_drafts", key: ["user_id", "type", "channel", "parent"]),
      .mentionsHeld,
    ] + traces.map { .trace($0) } + [.uploads, .words]

  private static let ofChannel = ["type", "channel", "user_id"]

  private static let traces = [
    Trace(table: "chat_reactions", column: "user_id", key: ["message", "user_id", "reaction"]),
    Trace(table: "chat_reads", column: "user_id", key: ofChannel),
    Trace(
      table: "chat_thread_members", column: "user_id", key: ["parent", "user_id"],
      end: .asMessages),
    Trace(table: "chat_reminders", column: "user_id", key: ["user_id", "message"]),
    Trace(table: "chat_held_messages", column: "user_id", key: ["id"]),
    Trace(table: "chat_drafts", column: "user_id", key: ["user_id", "type", "channel", "parent"]),
    Trace(table: "chat_invitations", column: "user_id", key: ofChannel),
    Trace(table: "chat_bans", column: "user_id", key: ofChannel),
    Trace(table: "chat_pace", column: "user_id", key: ofChannel),
    Trace(table: "chat_mutes", column: "user_id", key: ["user_id", "muted"]),
    Trace(
      table: "chat_mutes", column: "muted", key: ["user_id", "muted"], end: .asMessages),
    Trace(table: "chat_flags", column: "flagged_by", key: ["id"]),
    Trace(table: "chat_flags", column: "author", key: ["id"], end: .asMessages),
    Trace(table: "chat_flags", column: "resolved_by", key: ["id"], end: .cleared),
    Trace(table: "chat_channels", column: "created_by", key: ["type", "id"], end: .cleared),
    Trace(table: "chat_invitations", column: "invited_by", key: ofChannel, end: .cleared),
    Trace(table: "chat_bans", column: "banned_by", key: ofChannel, end: .cleared),
    Trace(table: "chat_edits", column: "replaced_by", key: ["message", "version"], end: .cleared),
    Trace(
      table: "chat_messages", column: "pinned_by", key: ["id"], end: .cleared,
      condition: "pinned_at IS NOT NULL"),
  ]
}
