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
      let header = Base64.url.decode(parts[0]), let payload = Base64.url.decode(parts[1]),
      let signature = Base64.url.decode(parts[2])
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
    let input = Base64.url.encode(try JSON.encode(header)) + "." + Base64.url.encode(claims)
    return input + "." + Base64.url.encode(try sign(Array(input.utf8)))
  }

  /// Checks that the header asks for `algorithm` and for nothing that is not done here.
  func require(algorithm: String) throws(TokenRefusal) {
    guard header.algorithm == algorithm else { throw .wrongAlgorithm }
    try requirePlain(types: ["jwt"])
  }

  /// Checks that the header asks for nothing that is not done here, and that the token is of one of these types, in lower
  /// case, or says nothing of its type.
  ///
  /// Refused are extensions that must be understood (RFC 7515 §4.1.11), a payload that is no JSON of claims but another
  /// token (RFC 7519 §5.2) or is not encoded (RFC 7797 §3), and types of other purposes (RFC 8725 §3.11). Keys and
  /// addresses of keys in a header (`jwk`, `jku`, `x5c`, `x5u`) are not looked at (RFC 8725 §3.10).
  func requirePlain(types: [String]) throws(TokenRefusal) {
    guard !header.asksForMore else { throw .unsupportedHeader }
    guard var type = header.type?.lowercased() else { return }
    // RFC 7515 §4.1.9: the prefix may be left out.
    if type.hasPrefix("application/") { type.removeFirst("application/".count) }
    guard types.contains(type) else { throw .unsupportedHeader }
  }
}

/// The members of a JOSE header that matter here (RFC 7515 §4.1).
struct JOSEHeader: Codable {
  var algorithm: String
  var keyID: String?
  var type: String?
  /// Whether it has a member that changes what the token means and is not done here, with whatever value.
  private(set) var asksForMore = false

  enum CodingKeys: String, CodingKey {
    case algorithm = "alg"
    case keyID = "kid"
    case type = "typ"
  }

  private enum Unsupported: String, CodingKey, CaseIterable {
    /// Extensions that must be understood. None is.
    case critical = "crit"
    /// What the payload is, where it is not claims.
    case contentType = "cty"
    /// Whether the payload is in base64url.
    case isEncoded = "b64"
  }

  init(algorithm: String, keyID: String? = nil) {
    self.algorithm = algorithm
    self.keyID = keyID
    type = "JWT"
  }

  init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    algorithm = try members.decode(String.self, forKey: .algorithm)
    keyID = try members.decodeIfPresent(String.self, forKey: .keyID)
    type = try members.decodeIfPresent(String.self, forKey: .type)
    let others = try decoder.container(keyedBy: Unsupported.self)
    asksForMore = Unsupported.allCases.contains { others.contains($0) }
  }
}
