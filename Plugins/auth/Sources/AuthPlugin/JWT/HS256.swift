internal import PluginCrypto

/// HMAC with SHA-256 as a JWT's signature (RFC 7518 §3.2): an app and those it trusts share the secret.
enum HS256 {
  static let algorithm = "HS256"

  static func sign(_ input: [UInt8], with secret: [UInt8]) -> [UInt8] {
    Digest.hmacSHA256(input, key: secret)
  }

  static func verifies(_ signature: [UInt8], of input: [UInt8], with secret: [UInt8]) -> Bool {
    Digest.areEqual(signature, sign(input, with: secret))
  }
}
