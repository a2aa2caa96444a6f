internal import PluginCrypto
internal import PluginKit

/// `POST /v1/hooks/{source}`: what somebody else sends to the app becomes an event, once.
extension WebhooksShard {
  private struct Received: Encodable {
    let source: String
    let id: String
    let payload: RawJSON
  }

  private struct Named: Decodable {
    let id: String?
  }

  func receiveHook(_ request: Request) async throws -> Response {
    let body = Array(request.body)
    let now = try context.clock.now()
    let source = try await source(try request.parameter(0))
    guard let claim = source.sender.claim(body, at: now, { request.header($0) }),
      claim.isGood(with: try await keys(of: source, at: now))
    else { throw Problem.unauthenticated("The signature is missing, wrong or too old.") }
    guard let payload = try? JSON.decode(RawJSON.self, from: body) else {
      throw Problem.invalid("The body is no JSON.")
    }
    let id = Self.id(of: claim, source.sender, payload)
    do {
      try await context.store.commit {
        SQL(
          """
          INSERT INTO webhooks_received (source, id, at) VALUES (\(source.name), \(id), \(now))
          ON CONFLICT (source, id) DO NOTHING
          """
        ).expect(exactly: 1)
        try Emit(
          "webhooks.hook.received",
          data: Received(source: source.name, id: id, payload: payload))
      }
    } catch StoreError.conflict {
      // It has come before, and is taken: its sender may not have heard so.
    }
    return .empty(204)
  }

  /// What it is taken once under. Only what is signed counts: the field by which GitHub names a delivery is not.
  private static func id(of claim: Sender.Claim, _ sender: Sender, _ payload: RawJSON) -> String {
    if let id = claim.id { return id }
    if sender == .stripe, let id = (try? payload.decode(Named.self))?.id,
      (1...256).contains(id.utf8.count)
    {
      return id
    }
    return Base64.standard.encode(Digest.sha256(claim.signed))
  }

  private func keys(of source: Source, at now: Timestamp) async throws -> [[UInt8]] {
    var sealed = [source.secret]
    if let previous = source.previous, let until = source.previousUntil, until > now {
      sealed.append(previous)
    }
    var keys: [[UInt8]] = []
    for each in sealed {
      guard let opened = try await seal.open(each, id: Source.sealName(source.name)),
        let key = source.sender.key(of: String(decoding: opened, as: UTF8.self))
      else { throw HostError(.internal, "a source's secret cannot be opened: its seal is another") }
      keys.append(key)
    }
    return keys
  }
}
