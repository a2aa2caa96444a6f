internal import PluginKit

/// A JWS in its compact form (RFC 7515 §7.1), taken apart and not yet verified.
struct CompactJWS {
  /// The longest token that is looked at, in bytes. The gateway finds no tenant for a longer one.
  static let limit = 4_096

  let header: JOSEHeader
  /// The claims' JSON.
  let payload: [UInt8]
  let signature: [UInt8]
  /// What is signed: header and payload as they were sent, with the dot between them.
  let signingInput: [UInt8]

  init(_ token: String) throws(TokenRefusal) {
    let text = Array(token.utf8)
    guard text.count <= CompactJWS.limit else { throw .malformed }
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    // A token with an empty signature decodes; the algorithm or the signature refuses it.
    guard parts.count == 3, !parts[0].isEmpty, !parts[1].isEmpty,
      let header = Base64URL.decode(parts[0]), let payload = Base64URL.decode(parts[1]),
      let signature = Base64URL.decode(parts[2])
    else { throw .malformed }
    do {
      self.header = try JSON.decode(from: header)
    } catch {
      throw .malformed
    }
    self.payload = payload
    self.signature = signature
    signingInput = Array(text[..<parts[1].endIndex])
  }

  /// A token of this header and these claims, signed by `sign`.
  static func make(
    _ header: JOSEHeader, claims: [UInt8], sign: ([UInt8]) throws -> [UInt8]
  ) throws -> String {
    let input = Base64URL.encode(try JSON.encode(header)) + "." + Base64URL.encode(claims)
    return input + "." + Base64URL.encode(try sign(Array(input.utf8)))
  }

  /// Checks that the header asks for `algorithm` and for nothing that is not done here.
  func require(algorithm: String) throws(TokenRefusal) {
    guard header.algorithm == algorithm else { throw .wrongAlgorithm }
    guard header.critical == nil, header.type.map({ $0.uppercased() == "JWT" }) ?? true else {
      throw .unsupportedHeader
    }
  }
}

/// The members of a JOSE header that matter here (RFC 7515 §4.1).
struct JOSEHeader: Codable {
  var algorithm: String
  var keyID: String?
  var type: String?
  /// `crit`: extensions that must be understood. None is.
  var critical: RawJSON?

  enum CodingKeys: String, CodingKey {
    case algorithm = "alg"
    case keyID = "kid"
    case type = "typ"
    case critical = "crit"
  }

  init(algorithm: String, keyID: String? = nil) {
    self.algorithm = algorithm
    self.keyID = keyID
    type = "JWT"
  }
}
