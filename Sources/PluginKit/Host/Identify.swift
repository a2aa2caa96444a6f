internal import CSluice

/// What a credential is shown for.
public enum CredentialPurpose: Sendable {
  /// To act as somebody, as in `Authorization: Bearer …`.
  case bearer
  /// To listen to the one channel that its claims name under `channel`.
  case subscription

  var number: UInt32 {
    switch self {
    case .bearer: SLUICE_CREDENTIAL_BEARER
    case .subscription: SLUICE_CREDENTIAL_SUBSCRIPTION
    }
  }
}

extension ShardContext {
  /// Who a credential stands for in this tenant: `sluice.identify/1`. Loop thread only.
  ///
  /// - Throws: `HostError` with `.unauthenticated` when it is wrong or revoked, `.expired` when it was good once,
  ///   `.unavailable` when it cannot be told now, `.invalid` when it is over 64 KiB; `ExtensionUnavailable`.
  public func identify(
    _ credential: String, for purpose: CredentialPurpose = .bearer
  ) async throws -> Principal {
    try await identify(credential, purpose, token: 0)
  }

  /// The same for a credential by which a connection is to act from now on.
  ///
  /// - Throws: also `.denied` when it stands for somebody else than who opened the connection, `.stale` when that is gone;
  ///   then nothing has changed.
  public func identify(_ credential: String, renewing connection: Connection) async throws
    -> Principal
  {
    try await identify(credential, .bearer, token: connection.token)
  }

  /// As the other, for an answer that is sent as things happen.
  public func identify(_ credential: String, renewing stream: PushStream) async throws
    -> Principal
  {
    try await identify(credential, .bearer, token: stream.token)
  }

  /// Has every credential that was recognised in this tenant shown to its authenticator again, on every loop: whoever that
  /// refuses from now on is refused at once. Requests that were let in and open sockets go on. Loop thread only.
  ///
  /// - Throws: `ExtensionUnavailable` without `sluice.identify/1`.
  public func forgetIdentities() async throws {
    let (identify, host) = try link.require("sluice.identify/1", sluice_identify_v1_t.self)
    try await callForStatus { identify.pointee.forget(host, $0, $1) }
  }

  private func identify(_ credential: String, _ purpose: CredentialPurpose, token: UInt64)
    async throws -> Principal
  {
    let (identify, host) = try link.require("sluice.identify/1", sluice_identify_v1_t.self)
    let reply = try await call { completion, call in
      credential.withSlice {
        identify.pointee.identify(host, purpose.number, $0, token, completion, call)
      }
    }
    return try JSON.decode(IdentityReply.self, from: reply).principal
  }
}

/// The reply of an authenticator (services/authenticator.h).
private struct IdentityReply: Decodable {
  var kind: Principal.Kind
  var id: String
  var scopes: [String]?
  var claims: RawJSON?
  var expiresAt: Int64?

  enum CodingKeys: String, CodingKey {
    case kind, id, scopes, claims
    case expiresAt = "expires_at_ms"
  }

  var principal: Principal {
    let expiry = expiresAt ?? 0
    return Principal(
      kind: kind, id: id, scopes: (scopes ?? []).sorted(), claims: claims ?? "{}",
      expiresAt: expiry == 0 ? nil : Timestamp(unixMilliseconds: expiry))
  }
}
