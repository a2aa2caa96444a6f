internal import CSSL

/// A SHA-256 digest: how credentials are remembered.
public struct Digest: Hashable, Sendable {
  /// Bytes 0 to 7, in the machine's order.
  public let a: UInt64
  /// Bytes 8 to 15.
  public let b: UInt64
  /// Bytes 16 to 23.
  public let c: UInt64
  /// Bytes 24 to 31.
  public let d: UInt64

  /// The digest of the bytes.
  public init(of bytes: UnsafeRawBufferPointer) {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { target in
      _ = SHA256(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count,
        target.baseAddress!.assumingMemoryBound(to: UInt8.self))
    }
    (a, b, c, d) = words
  }

  /// The digest that these 32 bytes are; nil when there are not 32.
  public init?(raw: UnsafeRawBufferPointer) {
    guard raw.count == 32 else { return nil }
    a = raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
    b = raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    c = raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self)
    d = raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
  }

  /// The 32 bytes.
  public var bytes: [UInt8] { withUnsafeBytes(of: (a, b, c, d)) { Array($0) } }

  // The digest is uniformly distributed already.
  public func hash(into hasher: inout Hasher) { hasher.combine(a) }
}

/// A key that is let in by its digest, as `sluice.tenants/1` put it.
public struct KeyRecord: Sendable, Equatable {
  /// The key's id, "key_…"; the principal's as well.
  public var id: String
  /// The tenant that the key opens, and no other.
  public var tenant: String
  /// What the key may do; "*" is everything.
  public var scopes: [String]
  /// Unix milliseconds; 0 is never.
  public var expiresAt: Int64

  /// - Parameter expiresAt: Unix milliseconds; 0 is never.
  public init(id: String, tenant: String, scopes: [String], expiresAt: Int64) {
    self.id = id
    self.tenant = tenant
    self.scopes = scopes
    self.expiresAt = expiresAt
  }
}

/// What a request shows to be let in.
public enum CredentialKind: Sendable, Equatable {
  case bearer
  case key(KeyRecord)
}
