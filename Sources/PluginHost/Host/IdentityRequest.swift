internal import CSluice
internal import Gateway
internal import Wire

/// The payloads of `sluice.authenticator/1` (services/authenticator.h), as the host writes and reads them.
enum IdentityRequest {
  /// What a credential is shown for.
  enum Query {
    case credential(CredentialKind)
    case subscription
  }

  /// The request of the method `identify`.
  static func json(_ query: Query, _ credential: UnsafeRawBufferPointer) -> [UInt8] {
    let text = ConfigValue.string(String(decoding: credential, as: UTF8.self))
    switch query {
    case .credential(.bearer):
      return Array(
        ConfigValue.object([.init("kind", "bearer"), .init("credential", text)]).json.utf8)
    case .subscription:
      return Array(
        ConfigValue.object([.init("kind", "subscription"), .init("credential", text)]).json.utf8)
    case .credential(.key(let record)):
      let key = ConfigValue.object([
        .init("id", .string(record.id)), .init("scopes", .array(record.scopes.map { .string($0) })),
        .init("expires_at_ms", .integer(Int(record.expiresAt))),
      ])
      return Array(
        ConfigValue.object([.init("kind", "key"), .init("credential", text), .init("key", key)])
          .json.utf8)
    }
  }

  /// Bytes of an authenticator's words that a client is told.
  private static let deniedReason = 200

  /// What a reply means.
  static func answer(_ status: Int32, _ reply: [UInt8]) -> IdentityAnswer {
    if status == SLUICE_E_EXPIRED { return .expired }
    if status == SLUICE_E_DENIED {
      let words = String(decoding: reply.prefix(deniedReason), as: UTF8.self)
      return words.isEmpty ? .unknown : .denied(words)
    }
    guard status == SLUICE_OK else {
      return status == SLUICE_E_UNAUTHENTICATED || status == SLUICE_E_INVALID
        ? .unknown : .unavailable
    }
    return reply.withUnsafeBytes { reply in
      guard let root = (try? JSONDocument(reply))?.root,
        let kind = root["kind"]?.string.flatMap(kind(named:)),
        let id = root["id"]?.string, let expiresAt = expiry(root["expires_at_ms"])
      else { return .unavailable }
      let scopes = root["scopes"]?.elements.compactMap(\.string) ?? []
      let claims = root["claims"].map { String(decoding: $0.rawBytes, as: UTF8.self) } ?? "{}"
      return .known(
        Principal(
          kind: kind, id: id, scopes: scopes, claims: claims,
          expiresAt: expiresAt))
    }
  }

  /// When a principal is void; nil for what is no time, which must not be taken for never.
  private static func expiry(_ member: JSONValue?) -> Int64? {
    guard let member else { return 0 }
    guard let time = member.int64, time >= 0 else { return nil }
    return time
  }

  private static func kind(named name: String) -> Principal.Kind? {
    switch name {
    case "account": .account
    case "key": .key
    case "user": .user
    case "anonymous": .anonymous
    default: nil
    }
  }
}
