internal import PluginCrypto
internal import PluginKit

/// What an endpoint's deliveries are signed with (Standard Webhooks 1.0.0).
struct SigningKey: Sendable, Equatable {
  /// The scheme, as signatures begin with it.
  enum Kind: String, Codable, Sendable {
    /// HMAC-SHA256 with a secret that both sides have.
    case v1
    /// Ed25519: the receiver has the public key alone.
    case v1a
  }

  /// Bytes of a new symmetric key; the specification has 24 to 64.
  static let secretLength = 32

  let kind: Kind
  /// The secret of `v1`, the seed of `v1a`.
  let bytes: [UInt8]

  /// How many random bytes a key is made of.
  static func length(of kind: Kind) -> Int {
    kind == .v1 ? secretLength : Ed25519.seedLength
  }

  /// What the receiver verifies with: a secret `whsec_…`, or a public key `whpk_…`; nil when the key is none.
  var verifier: String? {
    switch kind {
    case .v1: "whsec_" + Base64.standard.encode(bytes)
    case .v1a: Ed25519.publicKey(of: bytes).map { "whpk_" + Base64.standard.encode($0) }
    }
  }

  /// "v1,…" over the parts as the specification joins them; nil when the key cannot sign.
  func signature(id: String, timestamp: Int64, body: [UInt8]) -> String? {
    let signed = Array("\(id).\(timestamp).".utf8) + body
    switch kind {
    case .v1: return "v1," + Base64.standard.encode(Digest.hmacSHA256(signed, key: bytes))
    case .v1a: return Ed25519.sign(signed, with: bytes).map { "v1a," + Base64.standard.encode($0) }
    }
  }
}
