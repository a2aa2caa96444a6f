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

  public static let ok = Status(rawValue: SLUICE_OK)
  public static let pending = Status(rawValue: SLUICE_PENDING)
  public static let `internal` = Status(rawValue: SLUICE_E_INTERNAL)
  public static let invalid = Status(rawValue: SLUICE_E_INVALID)
  public static let stale = Status(rawValue: SLUICE_E_STALE)
  public static let unsupported = Status(rawValue: SLUICE_E_UNSUPPORTED)
  public static let wrongThread = Status(rawValue: SLUICE_E_WRONG_THREAD)
  public static let wrongState = Status(rawValue: SLUICE_E_WRONG_STATE)
  public static let denied = Status(rawValue: SLUICE_E_DENIED)
  public static let notFound = Status(rawValue: SLUICE_E_NOT_FOUND)
  public static let conflict = Status(rawValue: SLUICE_E_CONFLICT)
  public static let unauthenticated = Status(rawValue: SLUICE_E_UNAUTHENTICATED)
  public static let tooLarge = Status(rawValue: SLUICE_E_TOO_LARGE)
  public static let overloaded = Status(rawValue: SLUICE_E_OVERLOADED)
  public static let unavailable = Status(rawValue: SLUICE_E_UNAVAILABLE)
  public static let storageFull = Status(rawValue: SLUICE_E_STORAGE_FULL)
  public static let deadline = Status(rawValue: SLUICE_E_DEADLINE)
  public static let cancelled = Status(rawValue: SLUICE_E_CANCELLED)
  public static let config = Status(rawValue: SLUICE_E_CONFIG)
  public static let limited = Status(rawValue: SLUICE_E_LIMITED)
}

/// A call to the host that failed. Thrown out of a handler, the client gets the problem that belongs
/// to `status`, without the text.
public struct HostError: Error, Sendable, Equatable {
  public let status: Status
  /// The host's or another plugin's words, for logs.
  public let text: String

  public init(_ status: Status, _ text: String = "") {
    self.status = status
    self.text = text
  }
}

/// An extension that the manifest does not ask for or the operator does not grant.
public struct ExtensionUnavailable: Error, Sendable, Equatable, CustomStringConvertible {
  /// "sluice.store/1"
  public let id: String

  public init(_ id: String) {
    self.id = id
  }

  public var description: String {
    "\(id) is not granted: add it to \"capabilities\" in plugin.json, and have the operator grant it."
  }
}
