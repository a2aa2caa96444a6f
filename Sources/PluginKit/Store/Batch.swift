/// A write: statements with their guards, and the events that the change means. All of it is committed
/// together and on disk, or none of it is.
///
/// ```swift
/// let batch = try Batch {
///   SQL("INSERT INTO chat_messages (id, text) VALUES (\(id), \(text))").expect(exactly: 1)
///   try Emit("chat.message.created", channel: "chat:messaging:general", data: message)
/// }
/// ```
public struct Batch: Sendable, Equatable {
  public private(set) var statements: [SQL] = []
  public private(set) var events: [Emit] = []
  let delivery: UInt64

  /// - Parameter event: the event that this batch is the effect of. The listener's cursor moves in
  ///   the same batch, so the effect happens exactly once.
  public init(settling event: Event? = nil) {
    delivery = event?.delivery ?? 0
  }

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
  public let type: String
  /// nil: for listeners only, without history.
  public let channel: String?
  public let data: RawJSON

  public init<Value: Encodable>(_ type: String, channel: String? = nil, data: Value) throws {
    self.type = type
    self.channel = channel
    self.data = try (data as? RawJSON) ?? RawJSON(encoding: data)
  }
}

public enum BatchPart: Sendable {
  case statement(SQL)
  case event(Emit)
}

@resultBuilder
public enum BatchBuilder {
  public static func buildExpression(_ statement: SQL) -> [BatchPart] { [.statement(statement)] }
  public static func buildExpression(_ event: Emit) -> [BatchPart] { [.event(event)] }
  public static func buildBlock(_ parts: [BatchPart]...) -> [BatchPart] { parts.flatMap { $0 } }
  public static func buildOptional(_ parts: [BatchPart]?) -> [BatchPart] { parts ?? [] }
  public static func buildEither(first parts: [BatchPart]) -> [BatchPart] { parts }
  public static func buildEither(second parts: [BatchPart]) -> [BatchPart] { parts }
  public static func buildArray(_ parts: [[BatchPart]]) -> [BatchPart] { parts.flatMap { $0 } }
}
