internal import PluginCrypto
internal import PluginKit

/// Where an upload's bytes are, for whoever has the URL, until it expires.
struct SignedURL {
  /// Path and query, below the gateway's address.
  let text: String
  /// Seconds from 1970.
  let expires: Int64
}

/// What of an upload a URL is for.
enum UploadPart: String, Sendable {
  case content, thumbnail

  /// The media type of all thumbnails.
  static let thumbnailType = "image/webp"
}

/// The key that an app's URLs are signed with: a sealed secret, `uploads.urls`.
struct URLKey {
  static let secret = "uploads.urls"
  private static let length = 32

  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The app's key, made when there is none.
  static func read(_ context: ShardContext) async throws -> URLKey {
    if try context.secrets.get(secret) == nil {
      do {
        try await context.secrets.put(
          secret, try context.random.bytes(length), onlyIfAbsent: true)
      } catch let error as HostError where error.status == .conflict {
        // Another loop was first.
      }
    }
    guard let bytes = try context.secrets.get(secret) else {
      throw HostError(.unavailable, "the key for URLs is gone as soon as it was made")
    }
    return URLKey(bytes)
  }

  /// A URL that is good for `seconds` at most and half of them at least. Within half of them all are the same, so that what was
  /// fetched once is found in a cache.
  func url(
    of id: String, _ part: UploadPart, app: String, at now: Timestamp, seconds: Int64
  ) -> SignedURL {
    let half = max(seconds / 2, 1)
    let expires = (now.unixMilliseconds / 1_000 / half + 2) * half
    let signature = signature(of: id, part, app: app, expires: expires).hexadecimal
    return SignedURL(
      text: "/v1/uploads/\(id)/\(part)?app=\(app)&expires=\(expires)&signature=\(signature)",
      expires: expires)
  }

  /// A URL that is good as long as the upload is there, and always the same: for what is kept with a link in it.
  func link(to id: String, _ part: UploadPart, app: String) -> String {
    let signature = signature(of: id, part, app: app, expires: nil).hexadecimal
    return "/v1/uploads/\(id)/\(part)?app=\(app)&signature=\(signature)"
  }

  /// Whether a signature is this key's for the upload and the time; nil is that of a link, which has none.
  func isValid(
    _ signature: String, of id: String, _ part: UploadPart, app: String, expires: Int64?
  ) -> Bool {
    Digest.areEqual(
      Array(signature.utf8),
      Array(self.signature(of: id, part, app: app, expires: expires).hexadecimal.utf8))
  }

  private func signature(
    of id: String, _ part: UploadPart, app: String, expires: Int64?
  ) -> [UInt8] {
    // No part holds a line break, and no number is the word.
    let end = expires.map(String.init) ?? "link"
    return Digest.hmacSHA256(
      Array("sluice.uploads\n\(app)\n\(id)\n\(part)\n\(end)".utf8), key: bytes)
  }
}
