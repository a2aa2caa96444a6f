/// A signature of JWTs that is verified here (RFC 7518 §3.1, RFC 8037 §3.1). `none` is no member, nor is any other.
enum SignatureAlgorithm: String, Codable, Sendable {
  /// HMAC with SHA-256: who can verify can sign.
  case hs256 = "HS256"
  /// ECDSA on the curve P-256 with SHA-256.
  case es256 = "ES256"
  /// Ed25519 (RFC 8032).
  case edDSA = "EdDSA"
  /// RSASSA-PKCS1-v1_5 with SHA-256.
  case rs256 = "RS256"
}
