internal import PluginKit

/// A key of a key set as it is written (RFC 7517 §4), nothing of it checked. Members that are not here are ignored, as
/// §4 has it; those of private keys are here to be refused.
struct JSONWebKey: Decodable {
  var type: String
  var id: String?
  var algorithm: String?
  var use: String?
  var operations: [String]?
  /// The curve of an elliptic curve's key.
  var curve: String?
  var x: String?
  var y: String?
  /// The modulus of an RSA key, and its exponent.
  var modulus: String?
  var exponent: String?
  /// The secret of a symmetric key.
  var secret: String?
  /// The private part of any other.
  var privatePart: String?

  enum CodingKeys: String, CodingKey {
    case type = "kty"
    case id = "kid"
    case algorithm = "alg"
    case use
    case operations = "key_ops"
    case curve = "crv"
    case x, y
    case modulus = "n"
    case exponent = "e"
    case secret = "k"
    case privatePart = "d"
  }

  /// The one algorithm that the key is for; nil when it is for none that is verified here. A key of each type has just
  /// one (RFC 8725 §3.1), so that no header can have it used in another way.
  var usableAlgorithm: SignatureAlgorithm? {
    guard use == nil || use == "sig", operations.map({ $0.contains("verify") }) ?? true else {
      return nil
    }
    let known: SignatureAlgorithm? =
      switch (type, curve) {
      case ("oct", nil): .hs256
      case ("EC", "P-256"): .es256
      case ("OKP", "Ed25519"): .edDSA
      case ("RSA", nil): .rs256
      default: nil
      }
    guard let known, algorithm == nil || algorithm == known.rawValue else { return nil }
    return known
  }
}

/// A key set (RFC 7517 §5).
struct JSONWebKeySet: Decodable {
  var keys: [JSONWebKey]
}
