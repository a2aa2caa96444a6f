internal import CSluice

/// A batch or a read that failed; nothing was changed.
///
/// Thrown out of a handler, the client gets the problem that belongs to `status`: 409 for a conflict,
/// 503 for a full disk, 500 for wrong SQL, and so on.
public enum StoreError: Error, Sendable, Equatable {
  /// A guard or a constraint did not hold. `statement` counts from 0.
  case conflict(statement: Int?, detail: String)
  /// The SQL or its binds are wrong: SQLite's words.
  case invalid(String)
  /// Another plugin's table, or a statement that plugins may not use.
  case denied(String)
  /// The disk is full.
  case storageFull(String)
  /// This tenant's file cannot be used now.
  case unavailable(String)
  /// The queue of writes is full; try again later.
  case overloaded
  /// The shard is closing.
  case cancelled
  /// Any other failure.
  case failed(Status, String)

  /// The code of the contract.
  public var status: Status {
    switch self {
    case .conflict: .conflict
    case .invalid: .invalid
    case .denied: .denied
    case .storageFull: .storageFull
    case .unavailable: .unavailable
    case .overloaded: .overloaded
    case .cancelled: .cancelled
    case .failed(let status, _): status
    }
  }

  init(_ status: Status, _ text: String) {
    self =
      switch status {
      case .conflict: .conflict(statement: StoreError.statement(in: text), detail: text)
      case .invalid: .invalid(text)
      case .denied: .denied(text)
      case .storageFull: .storageFull(text)
      case .unavailable: .unavailable(text)
      case .overloaded: .overloaded
      case .cancelled: .cancelled
      default: .failed(status, text)
      }
  }

  /// The N of "statement N: …".
  private static func statement(in text: String) -> Int? {
    guard text.hasPrefix("statement ") else { return nil }
    return Int(text.dropFirst(10).prefix { $0 >= "0" && $0 <= "9" })
  }
}
