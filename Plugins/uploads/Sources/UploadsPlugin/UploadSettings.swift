internal import PluginKit

/// One app's settings, as the manifest's `config` describes them.
struct UploadSettings: Decodable, Sendable {
  /// What the app takes of one media type.
  struct Allowance: Decodable, Sendable {
    var maxBytes: Int

    private enum CodingKeys: String, CodingKey { case maxBytes = "max_bytes" }
  }

  enum Readers: String, Decodable { case users, owner }
  /// Where bytes are kept.
  enum Store: String, Codable, Sendable { case folder, s3 }

  /// By media type.
  var types: [String: Allowance]
  var readableBy: Readers
  var urlSeconds: Int64
  var userBytes: Int64
  var userUploadsPerMinute: Int64
  var userUploadsAtOnce: Int64
  /// Of an image that is taken.
  var maxPixels: Int
  var thumbnails: Bool
  /// Where new uploads go.
  var store: Store
  var s3Endpoint: String
  var s3Region: String
  var s3Bucket: String
  var s3Prefix: String
  var s3AccessKeyID: String
  /// A secret, which has no default.
  var s3SecretAccessKey: String?
  /// The longer side of a thumbnail at most.
  var thumbnailPixels: Int

  private enum CodingKeys: String, CodingKey {
    case types
    case readableBy = "readable_by"
    case urlSeconds = "url_seconds"
    case userBytes = "user_bytes"
    case userUploadsPerMinute = "user_uploads_per_minute"
    case userUploadsAtOnce = "user_uploads_at_once"
    case maxPixels = "max_pixels"
    case thumbnails, store
    case s3Endpoint = "s3_endpoint"
    case s3Region = "s3_region"
    case s3Bucket = "s3_bucket"
    case s3Prefix = "s3_prefix"
    case s3AccessKeyID = "s3_access_key_id"
    case s3SecretAccessKey = "s3_secret_access_key"
    case thumbnailPixels = "thumbnail_pixels"
  }

  /// The most that is taken of any type, in bytes.
  var largest: Int { types.values.map(\.maxBytes).max() ?? 0 }

  /// The bucket that the settings name; nil when they name none. Its app's uploads stand in a folder of it.
  func bucket(of app: String) -> BucketPlace? {
    guard !s3Endpoint.isEmpty, !s3Bucket.isEmpty, !s3AccessKeyID.isEmpty,
      let secret = s3SecretAccessKey, !secret.isEmpty
    else { return nil }
    return BucketPlace(
      origin: s3Endpoint.hasSuffix("/") ? String(s3Endpoint.dropLast()) : s3Endpoint,
      bucket: s3Bucket, prefix: s3Prefix + app + "/",
      signature: SignatureV4(keyID: s3AccessKeyID, secret: secret, region: s3Region))
  }

  /// Checks what a schema cannot say.
  func check() throws {
    for type in types.keys.sorted() where MediaType(type)?.text != type {
      throw ConfigurationError(
        pointer: "/types", message: "\"\(type)\" is no media type such as image/png in lower case")
    }
    // Whoever resolves a path on the way would come out of the app's own folder.
    for part in s3Prefix.split(separator: "/") where part == "." || part == ".." {
      throw ConfigurationError(
        pointer: "/s3_prefix", message: "\"\(part)\" is no part of an object's name")
    }
    guard store == .s3 else { return }
    for (name, isMissing) in [
      ("s3_endpoint", s3Endpoint.isEmpty), ("s3_bucket", s3Bucket.isEmpty),
      ("s3_access_key_id", s3AccessKeyID.isEmpty),
      ("s3_secret_access_key", (s3SecretAccessKey ?? "").isEmpty),
    ] where isMissing {
      throw ConfigurationError(pointer: "/\(name)", message: "the store s3 needs it")
    }
  }
}
