public import Store

/// Why the record of tenants did not do what it was asked. Nothing has changed, on disk or in memory.
///
/// No error ever holds a secret, a key or a credential's digest.
public struct TenantError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What kind of failure. The raw values are stable.
  public enum Code: String, Sendable, CaseIterable {
    /// A malformed id, name, host, digest or JSON text.
    case invalid
    /// There is no such tenant, or the tenant has no such credential.
    case notFound = "not_found"
    /// There is one already, or it is another tenant's.
    case conflict
    /// The tenant comes from a configuration file and is changed there.
    case isStatic = "is_static"
    /// One of ``TenantLimits`` would be passed.
    case limitExceeded = "limit_exceeded"
    /// Too much waits to be written; try again.
    case overloaded
    /// The file with the sealing key cannot be used.
    case keyFile = "key_file"
    /// The sealing key is not the one that secrets were sealed with.
    case wrongKey = "wrong_key"
    /// What is stored is not what was written.
    case damaged
    /// OpenSSL failed, which only a lack of memory or randomness explains.
    case sealing
    /// The store could not write or read; see ``TenantError/storeCode``.
    case store
  }

  /// Stable; what a program decides by.
  public var code: Code
  /// What happened, where, and what to do, in words.
  public var message: String
  /// The store's reason, for ``Code/store``.
  public var storeCode: StoreError.Code?

  /// An RFC 6901 pointer into what was given, for ``Code/invalid``; "" is all of it.
  public var pointer = ""

  /// - Parameters:
  ///   - storeCode: for ``Code/store`` alone.
  ///   - pointer: for ``Code/invalid``.
  public init(
    _ code: Code, _ message: String, storeCode: StoreError.Code? = nil, pointer: String = ""
  ) {
    self.code = code
    self.message = message
    self.storeCode = storeCode
    self.pointer = pointer
  }

  /// What went wrong in the store, while `action` was tried: "keeping tenant x".
  init(_ error: StoreError, while action: String) {
    switch error.code {
    case .conflict, .constraint:
      // Everything was checked against the record in memory first, so the file holds something else.
      self.init(
        .damaged,
        """
        \(action): control.sqlite has been changed by something else than this process; restart the gateway \
        (\(error.description))
        """, storeCode: error.code)
    case .overloaded:
      self.init(.overloaded, "\(action): \(error.message); try again", storeCode: error.code)
    default:
      self.init(.store, "\(action): \(error.description)", storeCode: error.code)
    }
  }

  public var description: String { "\(code.rawValue): \(message)" }
}
