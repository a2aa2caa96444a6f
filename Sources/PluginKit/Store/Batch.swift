/// A write: statements with their guards, and the events that the change means. All of it is committed
/// together and on disk, or none of it is.
///
/// ```swift
/// let batch = try Batch {
///   SQL("INSERT INTO notes_items (id, text) VALUES (\(id), \(text))").expect(exactly: 1)
///   try Emit("notes.item.created", channel: "notes:shared", data: message)
/// }
/// ```
public struct Batch: Sendable, Equatable {
  /// In the order in which they run.
  public private(set) var statements: [SQL] = []
  /// In the order in which they get their sequences; they are published after the commit.
  public private(set) var events: [Emit] = []
  /// Whether it is no effect of the request whose handler commits it: a preparation that the next attempt makes anew, or
  /// housekeeping. A request with an `Idempotency-Key` counts as carried out from its first batch that is not.
  public var isApartFromRequest = false
  let delivery: UInt64

  /// - Parameter event: the event that this batch is the effect of. The listener's cursor moves in
  ///   the same batch, so the effect happens exactly once.
  public init(settling event: Event? = nil) {
    delivery = event?.delivery ?? 0
  }

  /// The statements and events of the block, in its order.
  ///
  /// - Parameter event: the event that this batch is the effect of, as with ``init(settling:)``.
  /// - Throws: what the block throws; nothing has then been written.
  public init(settling event: Event? = nil, @BatchBuilder _ parts: () throws -> [BatchPart])
    rethrows
  {
    self.init(settling: event)
    for part in try parts() {
      switch part {
      case .statement(let statement): add(statement)
      case .event(let event): emit(event)
      }
    }
  }

  /// Appends a statement and returns its number, for `.returned(from:_:)`.
  @discardableResult
  public mutating func add(_ statement: SQL) -> Int {
    statements.append(statement)
    return statements.count - 1
  }

  /// Appends an event.
  public mutating func emit(_ event: Emit) {
    events.append(event)
  }

  /// Appends an event.
  public mutating func emit<Value: Encodable>(
    _ type: String, channel: String? = nil, data: Value
  ) throws {
    emit(try Emit(type, channel: channel, data: data))
  }
}

/// An event to emit with a batch. Its type must stand under `emits` in the manifest.
public struct Emit: Sendable, Equatable {
  /// As the manifest's `emits` names it, such as "notes.item.created".
  public let type: String
  /// nil: for listeners only, without history.
  public let channel: String?
  /// JSON, carried byte for byte.
  public let data: RawJSON
  /// What the member `id` is in the data of those events of the channel's history whose place it takes.
  public let replaced: String?

  /// - Parameters:
  ///   - channel: whose history keeps it; nil for listeners only.
  ///   - replaced: the `id` in the data of earlier events: in the same transaction these get this one's type and data in the
  ///     channel's history, and keep their offsets, so that nobody finds there what they said. 1 to 255 bytes, with a channel.
  ///   - data: `RawJSON` is taken as it is, everything else encoded.
  /// - Throws: `JSONError` when `data` is not to be encoded.
  public init<Value: Encodable>(
    _ type: String, channel: String? = nil, replacing replaced: String? = nil, data: Value
  ) throws {
    self.type = type
    self.channel = channel
    self.replaced = replaced
    self.data = try (data as? RawJSON) ?? RawJSON(encoding: data)
  }
}

/// What may stand in the block of a `Batch`.
public enum BatchPart: Sendable {
  case statement(SQL)
  case event(Emit)
}

/// Makes the block of a `Batch`: statements and events, `if` and `for`.
@resultBuilder
public enum BatchBuilder {
  public static func buildExpression(_ statement: SQL) -> [BatchPart] { [.statement(statement)] }
  public static func buildExpression(_ event: Emit) -> [BatchPart] { [.event(event)] }
  public static func buildPartialBlock(first parts: [BatchPart]) -> [BatchPart] { parts }
  public static func buildPartialBlock(accumulated: [BatchPart], next: [BatchPart]) -> [BatchPart] {
    accumulated + next
  }
  public static func buildOptional(_ parts: [BatchPart]?) -> [BatchPart] { parts ?? [] }
  public static func buildEither(first parts: [BatchPart]) -> [BatchPart] { parts }
  public static func buildEither(second parts: [BatchPart]) -> [BatchPart] { parts }
  public static func buildArray(_ parts: [[BatchPart]]) -> [BatchPart] { parts.flatMap { $0 } }
}
