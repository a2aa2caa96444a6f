/// Something of which a plan lets an app use so much.
public enum Quota: UInt32, CaseIterable, Sendable {
  /// WebSockets that are open at once, and answers without a length that go on: event streams and the like.
  case connections
  /// Messages that clients send over WebSockets in a calendar month, UTC.
  case messages
  /// Requests that are let in in a calendar month, UTC.
  case requests
  /// Bytes of the app's own file.
  case storage
  /// Plugins that are switched on.
  case plugins

  /// The key under a plan in `sluice.json`, and how a problem calls it.
  public var name: String {
    switch self {
    case .connections: "connections"
    case .messages: "messages_per_month"
    case .requests: "requests_per_month"
    case .storage: "storage_bytes"
    case .plugins: "plugins"
    }
  }

  /// Its bit in what is over its bound.
  var bit: UInt32 { 1 << rawValue }
}

/// What a plan lets an app use; 0 is no bound.
public struct Quotas: Sendable, Hashable {
  private var bounds = [Int](repeating: 0, count: Quota.allCases.count)

  /// No bound on anything.
  public init() {}

  /// The bound, in what the quota counts; 0 is none.
  public subscript(quota: Quota) -> Int {
    get { bounds[Int(quota.rawValue)] }
    set { bounds[Int(quota.rawValue)] = newValue }
  }
}
