internal import CSluice

/// A result code of the contract (`sluice/status.h`). New codes may be added: treat an unknown
/// negative one as `.internal`.
public struct Status: RawRepresentable, Hashable, Sendable {
  public let rawValue: Int32

  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// Whether it says success: done, or to be done later.
  public var isSuccess: Bool { rawValue >= 0 }

  /// Done; where there is an answer, it has been given.
  public static let ok = Status(rawValue: SLUICE_OK)
  /// The answer comes later, through the completion or the token.
  public static let pending = Status(rawValue: SLUICE_PENDING)
  /// Something broke that the caller cannot mend. As a handler's result: 500.
  public static let `internal` = Status(rawValue: SLUICE_E_INTERNAL)
  /// An argument is malformed; nothing was changed. 400.
  public static let invalid = Status(rawValue: SLUICE_E_INVALID)
  /// The token names something that is gone. 500.
  public static let stale = Status(rawValue: SLUICE_E_STALE)
  /// The other side does not know the function, handler or method. 500.
  public static let unsupported = Status(rawValue: SLUICE_E_UNSUPPORTED)
  /// Called on a thread on which it may not be called. 500.
  public static let wrongThread = Status(rawValue: SLUICE_E_WRONG_THREAD)
  /// Called in a state in which it may not be called. 500.
  public static let wrongState = Status(rawValue: SLUICE_E_WRONG_STATE)
  /// Not granted, or not yours. 403.
  public static let denied = Status(rawValue: SLUICE_E_DENIED)
  /// There is no such thing. 404.
  public static let notFound = Status(rawValue: SLUICE_E_NOT_FOUND)
  /// A guard failed, or it exists already. 409.
  public static let conflict = Status(rawValue: SLUICE_E_CONFLICT)
  /// The credential is missing, wrong or expired. 401.
  public static let unauthenticated = Status(rawValue: SLUICE_E_UNAUTHENTICATED)
  /// Over a stated bound. 413.
  public static let tooLarge = Status(rawValue: SLUICE_E_TOO_LARGE)
  /// A bounded queue is full; try again later. 503.
  public static let overloaded = Status(rawValue: SLUICE_E_OVERLOADED)
  /// What is needed is not there now; try again later. 503.
  public static let unavailable = Status(rawValue: SLUICE_E_UNAVAILABLE)
  /// The disk is full; nothing was written. 503.
  public static let storageFull = Status(rawValue: SLUICE_E_STORAGE_FULL)
  /// Time ran out; whether it was done is not known. 504.
  public static let deadline = Status(rawValue: SLUICE_E_DEADLINE)
  /// The peer went away, or the shard is closing. 503.
  public static let cancelled = Status(rawValue: SLUICE_E_CANCELLED)
  /// The tenant's settings are refused. 500.
  public static let config = Status(rawValue: SLUICE_E_CONFIG)
  /// Over a rate or a quota. 429.
  public static let limited = Status(rawValue: SLUICE_E_LIMITED)
  /// The credential was good once: get a new one. 401 over HTTP.
  public static let expired = Status(rawValue: SLUICE_E_EXPIRED)
}

/// A call to the host that failed. Thrown out of a handler, the client gets the problem that belongs
/// to `status`, without the text.
public struct HostError: Error, Sendable, Equatable {
  /// Negative: why it failed.
  public let status: Status
  /// The host's or another plugin's words, for logs.
  public let text: String

  /// - Parameter text: for logs; a client never sees it.
  public init(_ status: Status, _ text: String = "") {
    self.status = status
    self.text = text
  }
}

/// An extension that the manifest does not ask for or the operator does not grant.
public struct ExtensionUnavailable: Error, Sendable, Equatable, CustomStringConvertible {
  /// "sluice.store/1"
  public let id: String

  /// - Parameter id: the extension's, such as "sluice.store/1".
  public init(_ id: String) {
    self.id = id
  }

  public var description: String {
    "\(id) is not granted: add it to \"capabilities\" in plugin.json, and have the operator grant it."
  }
}
