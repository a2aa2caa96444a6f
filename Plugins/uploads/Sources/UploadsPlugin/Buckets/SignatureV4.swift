internal import PluginCrypto
internal import PluginKit

/// AWS Signature Version 4, for one service and region: arithmetic over SHA-256 and nothing else.
struct SignatureV4: Sendable {
  let keyID: String
  let secret: String
  let region: String
  var service = "s3"

  /// The digest of what is not signed, as in a URL that somebody else will use.
  static let unsigned = "UNSIGNED-PAYLOAD"

  /// What is signed of a request.
  struct Request {
    var method: String
    /// The host and port, as `Host` will have them.
    var host: String
    /// With each part percent-encoded, and a slash at the beginning.
    var path: String
    /// Not encoded yet.
    var query: [(name: String, value: String)] = []
    /// In lower case; `host` is added.
    var fields: [(name: String, value: String)] = []
  }

  /// The fields to send beside those that are signed: date, digest and `Authorization`.
  ///
  /// - Parameter digest: lower-case hexadecimal of the content's SHA-256.
  func fields(
    for request: Request, digest: String, at time: Timestamp
  ) -> [(name: String, value: String)] {
    let stamp = SignatureV4.stamp(time)
    var signed = request
    signed.fields += [("x-amz-content-sha256", digest), ("x-amz-date", stamp)]
    let names = SignatureV4.names(of: signed)
    let signature = signature(of: signed, digest: digest, stamp: stamp)
    return signed.fields + [
      (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=\(keyID)/\(scope(stamp)), SignedHeaders=\(names), Signature=\(signature)"
      )
    ]
  }

  /// The query of a URL that is good for so many seconds, for whoever has it.
  func query(for request: Request, at time: Timestamp, seconds: Int64) -> String {
    let stamp = SignatureV4.stamp(time)
    var signed = request
    signed.query += [
      ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(keyID)/\(scope(stamp))"),
      ("X-Amz-Date", stamp), ("X-Amz-Expires", "\(seconds)"),
      ("X-Amz-SignedHeaders", SignatureV4.names(of: signed)),
    ]
    let signature = signature(of: signed, digest: SignatureV4.unsigned, stamp: stamp)
    return SignatureV4.text(of: signed.query) + "&X-Amz-Signature=" + signature
  }

  private func scope(_ stamp: String) -> String {
    "\(stamp.prefix(8))/\(region)/\(service)/aws4_request"
  }

  private func signature(of request: Request, digest: String, stamp: String) -> String {
    let fields = (request.fields + [("host", request.host)])
      .sorted { $0.name < $1.name }.map { "\($0.name):\($0.value)\n" }.joined()
    let canonical = [
      request.method, request.path, SignatureV4.text(of: request.query), fields,
      SignatureV4.names(of: request), digest,
    ].joined(separator: "\n")
    let text = [
      "AWS4-HMAC-SHA256", stamp, scope(stamp), Digest.sha256(Array(canonical.utf8)).hexadecimal,
    ].joined(separator: "\n")
    var key = Array("AWS4\(secret)".utf8)
    for part in [String(stamp.prefix(8)), region, service, "aws4_request"] {
      key = Digest.hmacSHA256(Array(part.utf8), key: key)
    }
    return Digest.hmacSHA256(Array(text.utf8), key: key).hexadecimal
  }

  private static func names(of request: Request) -> String {
    (request.fields.map(\.name) + ["host"]).sorted().joined(separator: ";")
  }

  /// A query as it is signed and sent: sorted, with all encoded that may be.
  static func text(of query: [(name: String, value: String)]) -> String {
    query.map { (name: encoded($0.name), value: encoded($0.value)) }
      .sorted { ($0.name, $0.value) < ($1.name, $1.value) }
      .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
  }

  /// Percent-encoded but for the unreserved characters of RFC 3986 §2.3, and slashes where they separate.
  static func encoded(_ text: String, keepsSlashes: Bool = false) -> String {
    var encoded = ""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        encoded.unicodeScalars.append(Unicode.Scalar(byte))
      case UInt8(ascii: "/") where keepsSlashes: encoded += "/"
      default: encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
      }
    }
    return encoded
  }

  /// `20130524T000000Z`.
  private static func stamp(_ time: Timestamp) -> String {
    let text = time.rfc3339.filter { $0 != "-" && $0 != ":" }
    return text.prefix { $0 != "." && $0 != "Z" } + "Z"
  }
}
