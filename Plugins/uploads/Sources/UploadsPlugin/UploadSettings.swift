internal import PluginKit

/// One app's settings, as the manifest's `config` describes them.
struct UploadSettings: Decodable, Sendable {
  /// What the app takes of one media type.
  struct Allowance: Decodable, Sendable {
    var maxBytes: Int

    private enum CodingKeys: String, CodingKey { case maxBytes = "max_bytes" }
  }

  enum Readers: String, Decodable { case users, owner }

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
    case thumbnails
    case thumbnailPixels = "thumbnail_pixels"
  }

  /// The most that is taken of any type, in bytes.
  var largest: Int { types.values.map(\.maxBytes).max() ?? 0 }

  /// Checks what a schema cannot say.
  func check() throws {
    for type in types.keys.sorted() where MediaType(type)?.text != type {
      throw ConfigurationError(
        pointer: "/types", message: "\"\(type)\" is no media type such as image/png in lower case")
    }
  }
}
