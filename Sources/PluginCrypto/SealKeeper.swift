public import PluginKit

/// A tenant's ``Seal``, whose key is one of the plugin's secrets, made when it is first needed. Loop thread.
public final class SealKeeper {
  private let context: ShardContext
  private let secret: String
  private var seal: Seal?

  /// - Parameter secret: the name of the secret that the key is, as `sluice.secrets/1` wants it.
  public init(_ context: ShardContext, secret: String) {
    self.context = context
    self.secret = secret
  }

  /// Seals bytes for an id.
  ///
  /// - Throws: `HostError` when the key can be neither read nor made.
  public func close(_ bytes: [UInt8], id: String) async throws -> [UInt8] {
    try await key().close(bytes, id: id, nonce: try context.random.bytes(Seal.nonceLength))
  }

  /// What was sealed; nil when it is not what this tenant's key has sealed for this id.
  ///
  /// - Throws: as ``close(_:id:)``.
  public func open(_ sealed: [UInt8], id: String) async throws -> [UInt8]? {
    try await key().open(sealed, id: id)
  }

  private func key() async throws -> Seal {
    if let seal { return seal }
    if try context.secrets.get(secret) == nil {
      do {
        try await context.secrets.put(
          secret, try context.random.bytes(Seal.keyLength), onlyIfAbsent: true)
      } catch let error as HostError where error.status == .conflict {
        // Another loop was first.
      }
    }
    guard let key = try context.secrets.get(secret) else {
      throw HostError(.unavailable, "the key \"\(secret)\" is gone as soon as it was made")
    }
    let made = Seal(key: key)
    seal = made
    return made
  }
}
