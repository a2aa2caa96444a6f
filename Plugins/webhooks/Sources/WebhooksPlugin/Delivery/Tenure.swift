internal import Glibc
internal import PluginKit

/// The right to deliver the tenant's events, which one shard has at a time: another generation's may be open beside this one's. It stands in
/// the row `webhooks_state`, for a time that is made longer while there is something to do. Loop thread.
final class Tenure {
  /// How long it is held without being asked for again, in milliseconds.
  private static let length: Int64 = 15_000
  /// How much of it must be left for something to begin, in milliseconds.
  private static let rest: Int64 = 8_000

  private let context: ShardContext
  private let process: String
  private let holder: String
  private var heldUntil: Timestamp?
  private var isOver = false

  /// - Parameter process: ``processMark()``.
  init(_ context: ShardContext, process: String) throws {
    self.context = context
    self.process = process
    holder = try context.id.make("shard")
  }

  /// Whether this shard is the one, for long enough to begin something.
  func hold() async throws -> Bool {
    guard !isOver else { return false }
    let now = try context.clock.now()
    if let heldUntil, heldUntil > now.adding(milliseconds: Self.rest),
      heldUntil <= now.adding(milliseconds: Self.length)
    {
      return true
    }
    let until = now.adding(milliseconds: Self.length)
    // One of another process has ended with it: only one uses the file.
    let commit = try await context.store.commit(isApartFromRequest: true) {
      SQL(
        """
        UPDATE webhooks_state
        SET holder = \(holder), process = \(process), held_until = \(until)
        WHERE id = 1 AND (holder IS NULL OR holder = \(holder) OR held_until <= \(now)
          OR held_until > \(until) OR process <> \(process))
        """)
    }
    // It may have been given back meanwhile.
    heldUntil = commit.statements[0].changed == 1 && !isOver ? until : nil
    return heldUntil != nil
  }

  /// What gives it back, as a part of a batch.
  var end: SQL {
    "UPDATE webhooks_state SET holder = NULL, held_until = 0 WHERE id = 1 AND holder = \(holder)"
  }

  /// It is not taken any more.
  func leave() {
    isOver = true
    heldUntil = nil
  }

  /// Whether it was this shard's without a break.
  func isHeld() throws -> Bool {
    let now = try context.clock.now()
    return heldUntil.map { $0 > now } ?? false
  }

  /// What no other process has, this one's earlier runs included. Reads a file. Control thread.
  static func processMark() -> String {
    let file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "\(getpid())" }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1_024)
    let count = max(0, read(file, &bytes, bytes.count))
    // The name, in parentheses, may hold spaces. Behind it the twentieth word is when the process began.
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    let words = text.split(separator: ")").last?.split(separator: " ") ?? []
    return "\(getpid()) \(words.count > 19 ? words[19] : "")"
  }
}
