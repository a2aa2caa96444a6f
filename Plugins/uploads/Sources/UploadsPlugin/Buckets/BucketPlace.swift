internal import PluginKit

/// Where a bucket is, and who asks for it.
struct BucketPlace: Sendable {
  /// `https://s3.example:9000`, without a slash at the end.
  let origin: String
  let bucket: String
  /// What stands before all names: empty, or a folder's name with a slash at its end.
  let prefix: String
  let signature: SignatureV4

  /// As `Host` has it: without the port that the scheme has anyway.
  var host: String {
    let isSecure = origin.hasPrefix("https://")
    let host = origin.dropFirst(isSecure ? 8 : 7)
    let port = isSecure ? ":443" : ":80"
    return String(host.hasSuffix(port) ? host.dropLast(port.count) : host)
  }

  /// Where it is, without who asks: what a row says of an upload that is in it.
  var name: String { "\(origin)/\(bucket)/\(prefix)" }

  func path(of key: String) -> String {
    "/\(bucket)/\(SignatureV4.encoded(prefix + key, keepsSlashes: true))"
  }
}
