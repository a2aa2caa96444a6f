/// When a key was shown last, as one loop knows it. Confined to its loop.
final class KeyUse {
  let tenant: String
  let id: String
  /// Unix milliseconds; 0 is never.
  private(set) var lastUsed: Int64 = 0
  /// What was told of it last.
  private var told: Int64 = 0
  private var isWaiting = false

  /// How long after it was told of one use another is told of, in milliseconds.
  static let interval: Int64 = 60_000

  init(tenant: String, id: String) {
    self.tenant = tenant
    self.id = id
  }

  /// Notes a use; true when it is to be told of, which `takeNews` then does.
  @inline(__always)
  func note(_ now: Int64) -> Bool {
    lastUsed = now
    guard now - told >= Self.interval, !isWaiting else { return false }
    isWaiting = true
    return true
  }

  /// What is to be told.
  func takeNews() -> KeyUseReport {
    isWaiting = false
    told = lastUsed
    return KeyUseReport(tenant: tenant, id: id, time: lastUsed)
  }
}

/// A key was used, for whoever keeps when.
public struct KeyUseReport: Sendable, Equatable {
  /// Whose key it is.
  public var tenant: String
  /// "key_…"
  public var id: String
  /// Unix milliseconds.
  public var time: Int64

  /// - Parameter time: Unix milliseconds.
  public init(tenant: String, id: String, time: Int64) {
    self.tenant = tenant
    self.id = id
    self.time = time
  }
}
