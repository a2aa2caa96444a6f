internal import PluginCrypto
internal import PluginKit

/// What names a publication, so that a repeat publishes nothing: a key that a server gave, and what it gave it for.
struct PublicationKey: Equatable {
  /// Where the key stood. The two do not meet: a header names a request, a member of the body a publication.
  enum Place: String { case body, header }

  /// The key as it is stored: no other place's and no other principal's is the same.
  let text: String
  /// SHA-256 of what is published under it.
  let fingerprint: [UInt8]

  init(_ key: String, in place: Place, of principal: Principal, _ envelope: Envelope) {
    // With its length, so that where the id ends does not depend on what is in it.
    text = "\(place.rawValue):\(principal.id.utf8.count):\(principal.id):\(key)"
    fingerprint = Digest.sha256(envelope.json)
  }

  /// The key was used for something else.
  static let mismatch = Problem(
    status: 409, code: "idempotency_mismatch",
    detail: "The idempotency key was used for another publication: with other data or tags.")
}

extension RealtimeShard {
  /// Refuses a key under which something else was published in one of the channels, before anything is published.
  ///
  /// - Throws: `Problem`, 409 `idempotency_mismatch`.
  func refuseMismatch(_ key: PublicationKey, _ channels: [String]) async throws {
    let oldest = try context.clock.now().adding(milliseconds: -Self.keyLifetime)
    let list = String(decoding: try JSON.encode(channels), as: UTF8.self)
    let rows = try await context.store.read(
      """
      SELECT 1 AS found FROM realtime_publications
      WHERE key = \(key.text) AND channel IN (SELECT value FROM json_each(\(list)))
        AND fingerprint <> \(key.fingerprint) AND made_at >= \(oldest) LIMIT 1
      """)
    if rows.first != nil { throw PublicationKey.mismatch }
  }
}
